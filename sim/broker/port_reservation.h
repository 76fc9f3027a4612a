// A TCP port on the loopback interface, held for a server that another process is about to start.
//
// The port is bound but not listened on, with address reuse: the server may bind it too and listen, while
// the system gives it to nobody who asks for a free one.
#pragma once

#include <cstdint>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"

namespace otasim::broker {

class PortReservation {
 public:
  /// @param port  0 to let the system choose
  /// @returns kEnvironment if the port is in use or may not be used
  [[nodiscard]] static Result<PortReservation> take(std::uint16_t port);

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  PortReservation(UniqueFd socket, std::uint16_t port) : socket_(std::move(socket)), port_(port) {}

  UniqueFd socket_;
  std::uint16_t port_;
};

}  // namespace otasim::broker
