#include "sim/base/unix_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cstring>

namespace otasim {

Result<sockaddr_un> unix_socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ExitCode::kEnvironment,
                fmt::format("the path of a unix socket is too long ({} bytes, at most {}): {}", path.size(),
                            sizeof address.sun_path - 1, path),
                "Set TMPDIR to a folder with a shorter name, such as /tmp.");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace otasim
