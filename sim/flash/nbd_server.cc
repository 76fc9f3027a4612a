#include "sim/flash/nbd_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "sim/base/unix_socket.h"
#include "sim/base/worker_thread.h"

namespace otasim::flash_file {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// The process at the other end; none if it is this one, or cannot be known.
UniqueFd peer_process(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  if (peer.pid <= 0 || peer.pid == ::getpid()) return {};
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
}

void stop_process(const UniqueFd& process) {
  if (process) ::syscall(SYS_pidfd_send_signal, process.get(), SIGSTOP, nullptr, 0);
}

/// A client's socket and the bytes that came from it and are not taken yet.
class ClientSocket {
 public:
  explicit ClientSocket(UniqueFd socket)
      : socket_(std::move(socket)), buffer_(NbdConnection::kMaxMessageBytes) {}

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] Bytes received() const { return Bytes(buffer_).subspan(begin_, end_ - begin_); }
  void drop(std::size_t count) { begin_ += count; }

  /// Nothing more can come but what is on the way already; nothing is sent any more.
  void end_reading() {
    ::shutdown(socket_.get(), SHUT_RD);
    is_mute_ = true;
  }

  /// @returns false at the end
  [[nodiscard]] bool receive() {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= std::exchange(begin_, 0);
    const ssize_t count = ::recv(socket_.get(), buffer_.data() + end_, buffer_.size() - end_, MSG_DONTWAIT);
    if (count > 0) end_ += static_cast<std::size_t>(count);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
  }

  /// Sends what goes without waiting. @returns how much is done with: all of it if nobody listens
  [[nodiscard]] std::size_t send(Bytes bytes) {
    if (is_mute_) return bytes.size();
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return 0;
    is_mute_ = true;  // it is gone; what it has sent is still to be taken
    return bytes.size();
  }

 private:
  UniqueFd socket_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool is_mute_ = false;
};

/// Waits until one of them is ready; which are, poll() leaves in `revents`.
template <std::size_t kCount>
void wait_for(std::array<pollfd, kCount>& descriptors) {
  while (::poll(descriptors.data(), descriptors.size(), -1) < 0 && errno == EINTR) {
  }
}

bool is_ready(const pollfd& descriptor) {
  return descriptor.revents != 0;
}

}  // namespace

Result<std::unique_ptr<NbdServer>> NbdServer::power_on(Config config) {
  auto part = FlashPart::power_on(config.part);
  if (!part) return tl::unexpected(part.error());
  std::unique_ptr<NbdServer> server(new NbdServer(std::move(config), std::move(*part)));
  if (auto listening = server->listen(); !listening) return tl::unexpected(listening.error());
  try {
    server->thread_ = start_worker([raw = server.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    return fail(ExitCode::kEnvironment, fmt::format("cannot start the flash's thread: {}", error.what()));
  }
  return server;
}

NbdServer::NbdServer(Config config, std::unique_ptr<FlashPart> part)
    : config_(std::move(config)),
      part_(std::move(part)),
      disk_(*part_),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

NbdServer::~NbdServer() {
  if (thread_.joinable()) {
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  if (listener_) ::unlink(config_.socket_path.c_str());
}

Result<void> NbdServer::listen() {
  const auto address = unix_socket_address(config_.socket_path);
  if (!address) return tl::unexpected(address.error());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::unlink(config_.socket_path.c_str());  // left by a simulator that was killed
  if (!stop_ || !socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return fail(
        ExitCode::kEnvironment,
        fmt::format("cannot make the flash's socket {}: {}", config_.socket_path, std::strerror(errno)),
        "The folder must exist and be writable.");
  }
  listener_ = std::move(socket);
  return {};
}

void NbdServer::run() {
  while (part_->powered()) {
    std::array<pollfd, 2> waiting{{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
    wait_for(waiting);
    if (is_ready(waiting[0])) return;
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) {
      serve(std::move(client));
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      break;  // no descriptor is left, say: it would only come again
    }
  }
  std::array<pollfd, 1> waiting{{{stop_.get(), POLLIN, 0}}};
  wait_for(waiting);
}

/// Until the client's end, the power's, or this server's; then all that the client had sent is taken.
void NbdServer::serve(UniqueFd client) {
  const UniqueFd process = peer_process(client.get());
  ClientSocket socket(std::move(client));
  NbdConnection connection(disk_, config_.on_refused);
  std::size_t sent = 0;
  bool is_stopping = false;
  bool is_deaf = false;  // to others, for want of a descriptor: they would only come again
  for (;;) {
    sent += socket.send(connection.output().subspan(sent));
    if (sent == connection.output().size()) {
      connection.clear_output();
      sent = 0;
      if (connection.is_closed()) return;
      const std::size_t taken = connection.take(socket.received());
      socket.drop(taken);
      if (connection.is_without_power()) return stop_process(process);
      if (const int error = part_->take_op_log_error(); error != 0 && config_.on_op_log_error)
        config_.on_op_log_error(error);
      if (taken != 0 || connection.is_closed()) continue;
    }
    const bool is_sending = !connection.output().empty();
    std::array<pollfd, 3> waiting{{{is_stopping ? -1 : stop_.get(), POLLIN, 0},
                                   {is_deaf ? -1 : listener_.get(), POLLIN, 0},
                                   {socket.fd(), static_cast<short>(is_sending ? POLLOUT : POLLIN), 0}}};
    wait_for(waiting);
    if (is_ready(waiting[0])) {
      is_stopping = true;
      socket.end_reading();
    } else if (is_ready(waiting[2])) {
      if (!is_sending && !socket.receive()) return;
    } else if (is_ready(waiting[1])) {
      // Not before all has been seen of this one: who comes after it has gone is the next, not another.
      is_deaf = !turn_away();
    }
  }
}

bool NbdServer::turn_away() {
  const UniqueFd another(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return another || errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
}

}  // namespace otasim::flash_file
