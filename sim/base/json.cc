#include "sim/base/json.h"

template class nlohmann::basic_json<>;
template class nlohmann::detail::serializer<nlohmann::json>;
template class nlohmann::detail::json_sax_dom_parser<nlohmann::json>;
template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::json>;
template class nlohmann::detail::lexer<nlohmann::json, otasim::JsonFromText>;
template class nlohmann::detail::lexer<nlohmann::json, otasim::JsonFromString>;
template class nlohmann::detail::parser<nlohmann::json, otasim::JsonFromText>;
template class nlohmann::detail::parser<nlohmann::json, otasim::JsonFromString>;
template class nlohmann::basic_json<nlohmann::ordered_map>;
template class nlohmann::detail::serializer<nlohmann::ordered_json>;
template class nlohmann::detail::json_sax_dom_parser<nlohmann::ordered_json>;
template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::ordered_json>;
template class nlohmann::detail::lexer<nlohmann::ordered_json, otasim::JsonFromText>;
template class nlohmann::detail::lexer<nlohmann::ordered_json, otasim::JsonFromString>;
template class nlohmann::detail::parser<nlohmann::ordered_json, otasim::JsonFromText>;
template class nlohmann::detail::parser<nlohmann::ordered_json, otasim::JsonFromString>;
