#include "sim/broker/port_reservation.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace otasim::broker {

namespace {

tl::unexpected<Error> port_error(std::uint16_t port, int error) {
  if (error == EADDRINUSE) {
    return fail(ExitCode::kEnvironment, fmt::format("port {} is already in use by another process.", port),
                "The lab needs one free port for MQTT over TLS. Give another with --mqtt-port, or 0 to let "
                "the system choose.");
  }
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot use port {} on 127.0.0.1: {}.", port, std::strerror(error)),
              "Give another with --mqtt-port, or 0 to let the system choose.");
}

}  // namespace

Result<PortReservation> PortReservation::take(std::uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return port_error(port, errno);
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return port_error(port, errno);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, length) != 0) return port_error(port, errno);
  if (::getsockname(socket.get(), generic, &length) != 0) return port_error(port, errno);
  return PortReservation(std::move(socket), ntohs(address.sin_port));
}

}  // namespace otasim::broker
