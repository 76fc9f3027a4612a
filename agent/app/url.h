// The presigned URL of a job document, taken apart.
//
//   Url url;
//   if (parse_url(text, url) != UrlStatus::kOk) ...
//   GET url.target, Host: url.host[:url.port]
//
// Only what a presigned URL is made of is taken: "https", a host name or IPv4 address, a port, a path and a
// query. The text comes from the network and ends up in a request's head, so every byte is looked at: nothing
// that could end a line or stand for something else passes. Nothing is decoded; a signature covers the target
// as it is written.
#pragma once

#include <cstdint>
#include <string_view>

namespace app {

inline constexpr std::size_t kMaxUrlLength = 1500;  ///< the agent's own limit, OTA_REQUEST_URL_MAX_SIZE
inline constexpr std::size_t kMaxUrlHost = 253;     ///< DNS's
inline constexpr std::uint16_t kHttpsPort = 443;

/// Views into the text that was parsed.
struct Url {
  std::string_view host;
  std::uint16_t port = kHttpsPort;
  std::string_view target;  ///< path and query, "/" if the URL has none
};

enum class UrlStatus {
  kOk,
  kTooLong,       ///< the URL, or its host
  kBadCharacter,  ///< a blank, a control character, or not ASCII
  kBadScheme,     ///< not https
  kUserInfo,      ///< user name or password before the host
  kBadHost,       ///< none, or not letters, digits, hyphens and dots
  kBadPort,       ///< not a number from 1 to 65535
  kFragment,      ///< "#": not a server's business, so not in a presigned URL
};

[[nodiscard]] const char* to_string(UrlStatus status);

/// @returns kOk with `out` set; any other status leaves `out` alone
[[nodiscard]] UrlStatus parse_url(std::string_view text, Url& out);

}  // namespace app
