// Opens a port for connections: the part that all of the lab's own servers share.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "sim/base/result.h"

namespace otasim::rest {

/// Listens on an address. @param what  whose port it is, for the message: `HTTPS server`
/// @returns kEnvironment if the port is in use or may not be used
[[nodiscard]] Result<void> listen_on(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address,
                                     std::uint16_t port, const std::string& what);

}  // namespace otasim::rest
