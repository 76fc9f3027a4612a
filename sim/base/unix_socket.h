// Addresses of unix sockets.
#pragma once

#include <sys/un.h>

#include <string>

#include "sim/base/result.h"

namespace otasim {

/// The address of a unix socket. @returns kEnvironment if the path is too long for one (107 bytes)
[[nodiscard]] Result<sockaddr_un> unix_socket_address(const std::string& path);

}  // namespace otasim
