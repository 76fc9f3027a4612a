#include "agent/app/url.h"

#include <algorithm>

namespace app {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::size_t kMaxPortDigits = 5;
constexpr std::uint32_t kMaxPort = 65535;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_host_character(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.';
}

/// Printable, and none of those that RFC 3986 leaves out although they are.
bool is_url_character(char c) {
  constexpr std::string_view kNever = "\"<>\\^`{|}";
  return c > 0x20 && c < 0x7F && kNever.find(c) == std::string_view::npos;
}

bool has_scheme(std::string_view text) {
  if (text.size() < kScheme.size()) return false;
  return std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                    [](char wanted, char c) { return wanted == lower(c); });
}

UrlStatus check_host(std::string_view host) {
  if (host.empty() || host.front() == '.' || host.front() == '-') return UrlStatus::kBadHost;
  if (host.find("..") != std::string_view::npos) return UrlStatus::kBadHost;
  if (!std::all_of(host.begin(), host.end(), is_host_character)) return UrlStatus::kBadHost;
  return host.size() > kMaxUrlHost ? UrlStatus::kTooLong : UrlStatus::kOk;
}

bool parse_port(std::string_view digits, std::uint16_t& out) {
  if (digits.empty() || digits.size() > kMaxPortDigits) return false;
  std::uint32_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value == 0 || value > kMaxPort) return false;
  out = static_cast<std::uint16_t>(value);
  return true;
}

}  // namespace

const char* to_string(UrlStatus status) {
  switch (status) {
    case UrlStatus::kOk:
      return "ok";
    case UrlStatus::kTooLong:
      return "too long";
    case UrlStatus::kBadCharacter:
      return "a character no URL has";
    case UrlStatus::kBadScheme:
      return "not https";
    case UrlStatus::kUserInfo:
      return "a user before the host";
    case UrlStatus::kBadHost:
      return "no host name";
    case UrlStatus::kBadPort:
      return "no port number";
    case UrlStatus::kFragment:
      return "a fragment";
  }
  return "unknown";
}

UrlStatus parse_url(std::string_view text, Url& out) {
  if (text.size() > kMaxUrlLength) return UrlStatus::kTooLong;
  if (!std::all_of(text.begin(), text.end(), is_url_character)) return UrlStatus::kBadCharacter;
  if (!has_scheme(text)) return UrlStatus::kBadScheme;
  if (text.find('#') != std::string_view::npos) return UrlStatus::kFragment;
  const std::string_view rest = text.substr(kScheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.find('@') != std::string_view::npos) return UrlStatus::kUserInfo;

  Url url;
  const std::size_t colon = authority.find(':');
  url.host = authority.substr(0, colon);
  if (const UrlStatus status = check_host(url.host); status != UrlStatus::kOk) return status;
  if (colon != std::string_view::npos && !parse_port(authority.substr(colon + 1), url.port)) {
    return UrlStatus::kBadPort;
  }
  url.target = rest.substr(authority.size());
  if (url.target.empty()) url.target = "/";
  if (url.target.front() != '/') return UrlStatus::kBadHost;  // a query right behind the host: no path to ask
  out = url;
  return UrlStatus::kOk;
}

}  // namespace app
