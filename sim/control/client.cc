#include "sim/control/client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/json_members.h"
#include "sim/base/unique_fd.h"
#include "sim/base/unix_socket.h"
#include "sim/lab/lab_folder.h"

namespace otasim::control {
namespace {

Result<UniqueFd> connect(const std::string& lab_folder) {
  const auto path = lab::LabFolder::control_socket(lab_folder);
  if (!path) return tl::unexpected(path.error());
  const auto address = unix_socket_address(*path);
  if (!address) return tl::unexpected(address.error());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0) {
    return socket;
  }
  // A lab that was killed leaves its address behind, and nobody there.
  if (errno == ECONNREFUSED || errno == ENOENT)
    return tl::unexpected(lab::LabFolder::not_running(lab_folder));
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot reach the lab in '{}': {}", lab_folder, std::strerror(errno)));
}

/// The next line without its end; nothing at the connection's end.
std::optional<std::string> read_line(const UniqueFd& socket, std::string& buffer) {
  for (;;) {
    if (const std::size_t end = buffer.find('\n'); end != std::string::npos) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      return line;
    }
    std::array<char, 65536> chunk;
    const ssize_t count = ::read(socket.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    buffer.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<nlohmann::json> call_lab(const std::string& lab_folder, const Request& request,
                                const std::function<void(const nlohmann::json&)>& on_output) {
  const auto socket = connect(lab_folder);
  if (!socket) return tl::unexpected(socket.error());
  const std::string line = to_line({{"command", request.command}, {"arguments", request.arguments}});
  // An answer may come before all of the request has been taken, and says why: it is read in any case.
  (void)write_all(socket->get(), std::span(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()));
  std::string buffer;
  while (const auto answer = read_line(*socket, buffer)) {
    const nlohmann::json message = parse_json(*answer);
    if (!message.is_object()) break;
    if (const auto error = message.find("error"); error != message.end()) {
      return tl::unexpected(parse_error(*error));
    }
    if (const auto result = message.find("result"); result != message.end()) return *result;
    if (const auto part = message.find("output"); part != message.end() && on_output) on_output(*part);
  }
  return fail(ExitCode::kEnvironment, fmt::format("the lab in '{}' has ended", lab_folder),
              "Start it again with otasim up.");
}

}  // namespace otasim::control
