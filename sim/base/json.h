// nlohmann's JSON, compiled once (json.cc) instead of in each of the files that use it. Code that reads or
// writes JSON includes this header, not <nlohmann/json.hpp>.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace otasim {

// What nlohmann's parser reads through, for a std::string_view or literal and for a std::string.
using JsonFromText = nlohmann::detail::iterator_input_adapter<const char*>;
using JsonFromString = nlohmann::detail::iterator_input_adapter<std::string::const_iterator>;

}  // namespace otasim

#define OTASIM_JSON_TEMPLATES(declared, Map)                                                          \
  declared template class nlohmann::basic_json<Map>;                                                  \
  declared template class nlohmann::detail::serializer<nlohmann::basic_json<Map>>;                    \
  declared template class nlohmann::detail::json_sax_dom_parser<nlohmann::basic_json<Map>>;           \
  declared template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::basic_json<Map>>;  \
  declared template class nlohmann::detail::lexer<nlohmann::basic_json<Map>, otasim::JsonFromText>;   \
  declared template class nlohmann::detail::lexer<nlohmann::basic_json<Map>, otasim::JsonFromString>; \
  declared template class nlohmann::detail::parser<nlohmann::basic_json<Map>, otasim::JsonFromText>;  \
  declared template class nlohmann::detail::parser<nlohmann::basic_json<Map>, otasim::JsonFromString>

OTASIM_JSON_TEMPLATES(extern, std::map);
OTASIM_JSON_TEMPLATES(extern, nlohmann::ordered_map);
