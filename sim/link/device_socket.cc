#include "sim/link/device_socket.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sim/base/unix_socket.h"

namespace otasim::link {
namespace {

UniqueFd datagram_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

const sockaddr* as_sockaddr(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<DeviceSocket> DeviceSocket::bind(const std::string& own_path, const std::string& qemu_path) {
  const auto address = unix_socket_address(own_path);
  if (!address) return tl::unexpected(address.error());
  if (const auto other = unix_socket_address(qemu_path); !other) return tl::unexpected(other.error());

  DeviceSocket socket;
  socket.receiver_ = datagram_socket();
  socket.sender_ = datagram_socket();
  ::unlink(own_path.c_str());
  if (!socket.receiver_ || !socket.sender_ ||
      ::bind(socket.receiver_.get(), as_sockaddr(*address), sizeof *address) != 0) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make the link's socket {}: {}", own_path, std::strerror(errno)),
                "The folder must exist and be writable.");
  }
  socket.own_path_ = own_path;
  socket.qemu_path_ = qemu_path;
  return socket;
}

DeviceSocket::DeviceSocket(DeviceSocket&& other) noexcept
    : own_path_(std::exchange(other.own_path_, {})),
      qemu_path_(std::exchange(other.qemu_path_, {})),
      receiver_(std::move(other.receiver_)),
      sender_(std::move(other.sender_)),
      connected_(other.connected_) {}

DeviceSocket::~DeviceSocket() {
  if (!own_path_.empty()) ::unlink(own_path_.c_str());
  if (!qemu_path_.empty()) ::unlink(qemu_path_.c_str());
}

std::optional<Bytes> DeviceSocket::receive(std::span<std::uint8_t> buffer) {
  const ssize_t bytes = ::recv(receiver_.get(), buffer.data(), buffer.size(), 0);
  if (bytes < 0) return std::nullopt;
  return buffer.first(static_cast<std::size_t>(bytes));
}

bool DeviceSocket::connect_sender() {
  const auto address = unix_socket_address(qemu_path_);
  connected_ = address && ::connect(sender_.get(), as_sockaddr(*address), sizeof *address) == 0;
  return connected_;
}

DeviceSocket::Sent DeviceSocket::send(Bytes frame) {
  // Twice: an old connection may have died with its QEMU while a new one is already there.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!connected_ && !connect_sender()) return Sent::kDeviceOff;
    if (::send(sender_.get(), frame.data(), frame.size(), MSG_NOSIGNAL) >= 0) return Sent::kYes;
    switch (errno) {
      case EAGAIN:
        return Sent::kWouldBlock;
      case ECONNREFUSED:
      case ECONNRESET:
      case ENOTCONN:
      case ENOENT:
        connected_ = false;
        break;
      default:
        return Sent::kFailed;
    }
  }
  return Sent::kDeviceOff;
}

std::size_t DeviceSocket::unread_bytes() const {
  int bytes = 0;
  if (!connected_ || ::ioctl(sender_.get(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

}  // namespace otasim::link
