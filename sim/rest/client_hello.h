// What a TLS client asks for before anything is encrypted: its ClientHello, read without answering it.
//
//   auto hello = read_client_hello(bytes_so_far);
//   if (!hello) ...                  // no TLS: close the connection
//   else if (!*hello) ...            // not whole yet: read on
//   else (*hello)->protocols ...
//
// Source: RFC 8446 section 4.1.2, RFC 7301 (ALPN), RFC 6066 (server name).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace otasim::rest {

/// Longer ones are refused; clients' have a few hundred bytes.
inline constexpr std::size_t kMaxClientHello = 16 * 1024;

struct ClientHello {
  std::vector<std::string> protocols = {};  ///< ALPN, the client's favourite first
  std::string server_name = {};             ///< empty: none given
};

/// @param bytes  what the client has sent so far
/// @returns nothing if more is needed, or why it is no ClientHello
[[nodiscard]] tl::expected<std::optional<ClientHello>, std::string_view> read_client_hello(
    std::span<const std::uint8_t> bytes);

}  // namespace otasim::rest
