#include "sim/rest/listener.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>

namespace otasim::rest {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

tl::unexpected<Error> port_error(const std::string& address, std::uint16_t port, const std::string& what,
                                 const error_code& error) {
  const std::string hint = fmt::format("Give the {} another port, or 0 to let the system choose.", what);
  if (error == asio::error::address_in_use) {
    return fail(ExitCode::kEnvironment, fmt::format("port {} is already in use by another process.", port),
                hint);
  }
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot use port {} on {}: {}.", port, address, error.message()), hint);
}

}  // namespace

Result<void> listen_on(tcp::acceptor& acceptor, const std::string& address, std::uint16_t port,
                       const std::string& what) {
  error_code error;
  const auto host = asio::ip::make_address(address, error);
  if (error) return port_error(address, port, what, error);
  const tcp::endpoint endpoint(host, port);
  if (acceptor.open(endpoint.protocol(), error) ||
      acceptor.set_option(tcp::acceptor::reuse_address(true), error) || acceptor.bind(endpoint, error) ||
      acceptor.listen(asio::socket_base::max_listen_connections, error)) {
    return port_error(address, port, what, error);
  }
  return {};
}

}  // namespace otasim::rest
