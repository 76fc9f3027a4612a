// nlohmann's JSON, compiled once (json.cc) instead of in each of the files that use it. Code that reads or
// writes JSON includes this header, not <nlohmann/json.hpp>.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace otasim {

// What nlohmann's parser reads through, for a std::string_view or literal and for a std::string.
using JsonFromText = nlohmann::detail::iterator_input_adapter<const char*>;
using JsonFromString = nlohmann::detail::iterator_input_adapter<std::string::const_iterator>;

}  // namespace otasim

extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class nlohmann::detail::json_sax_dom_parser<nlohmann::json>;
extern template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::json>;
extern template class nlohmann::detail::lexer<nlohmann::json, otasim::JsonFromText>;
extern template class nlohmann::detail::lexer<nlohmann::json, otasim::JsonFromString>;
extern template class nlohmann::detail::parser<nlohmann::json, otasim::JsonFromText>;
extern template class nlohmann::detail::parser<nlohmann::json, otasim::JsonFromString>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
extern template class nlohmann::detail::serializer<nlohmann::ordered_json>;
extern template class nlohmann::detail::json_sax_dom_parser<nlohmann::ordered_json>;
extern template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::ordered_json>;
extern template class nlohmann::detail::lexer<nlohmann::ordered_json, otasim::JsonFromText>;
extern template class nlohmann::detail::lexer<nlohmann::ordered_json, otasim::JsonFromString>;
extern template class nlohmann::detail::parser<nlohmann::ordered_json, otasim::JsonFromText>;
extern template class nlohmann::detail::parser<nlohmann::ordered_json, otasim::JsonFromString>;
