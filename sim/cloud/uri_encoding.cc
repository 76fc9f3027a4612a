#include "sim/cloud/uri_encoding.h"

namespace otasim::cloud {

namespace {

constexpr bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// @returns -1 for what is no hexadecimal digit
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<QueryParameter> parse_parameter(std::string_view text) {
  const std::size_t equals = text.find('=');
  auto name = uri_decode(text.substr(0, equals));
  auto value = equals == std::string_view::npos ? std::string{} : uri_decode(text.substr(equals + 1));
  if (!name || !value) return std::nullopt;
  return QueryParameter{std::move(*name), std::move(*value)};
}

}  // namespace

std::string uri_encode(std::string_view bytes, bool keep_slashes) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    if (is_unreserved(c) || (keep_slashes && c == '/')) {
      text += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text += '%';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0x0F];
  }
  return text;
}

std::optional<std::string> uri_decode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return bytes;
}

std::optional<RequestTarget> parse_request_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  const std::size_t question_mark = target.find('?');
  auto path = uri_decode(target.substr(0, question_mark));
  if (!path) return std::nullopt;
  RequestTarget parsed{std::move(*path), {}};
  std::string_view rest = question_mark == std::string_view::npos ? "" : target.substr(question_mark + 1);
  while (!rest.empty()) {
    const std::size_t ampersand = rest.find('&');
    const std::string_view text = rest.substr(0, ampersand);
    if (!text.empty()) {
      auto parameter = parse_parameter(text);
      if (!parameter) return std::nullopt;
      parsed.query.push_back(std::move(*parameter));
    }
    rest = ampersand == std::string_view::npos ? "" : rest.substr(ampersand + 1);
  }
  return parsed;
}

}  // namespace otasim::cloud
