#include "tests/qemu_boards/gdb_remote.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>

#include "sim/base/unix_socket.h"
#include "sim/device/gdb_packet.h"

namespace otasim::test {
namespace {

constexpr std::chrono::seconds kLimit{20};
constexpr char kInterrupt = 0x03;

std::uint32_t word_of(std::string_view text) {
  const auto value = device::gdb_word_value(text);
  if (!value) throw std::runtime_error(fmt::format("gdb: no register value: '{}'", text));
  return *value;
}

void wait_readable(int descriptor) {
  pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kLimit).count())) != 1)
    throw std::runtime_error("gdb: no answer");
}

}  // namespace

GdbRemote::GdbRemote(std::string socket_path) : path_(std::move(socket_path)) {
  const auto address = unix_socket_address(path_);
  if (!address) throw std::runtime_error(address.error().message);
  listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listening_, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0 ||
      ::listen(listening_, 1) != 0) {
    throw std::runtime_error("gdb: cannot listen at " + path_);
  }
}

GdbRemote::~GdbRemote() {
  if (socket_ >= 0) ::close(socket_);
  ::close(listening_);
}

std::vector<std::string> GdbRemote::qemu_arguments() const {
  return {"-S", "-chardev", fmt::format("socket,id=gdb,path={},server=off", path_), "-gdb", "chardev:gdb"};
}

void GdbRemote::accept() {
  wait_readable(listening_);
  socket_ = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (socket_ < 0) throw std::runtime_error("gdb: QEMU does not call");
  // QEMU gives registers by number only to those who asked what there is.
  static_cast<void>(ask("qXfer:features:read:target.xml:0,ffb"));
  static_cast<void>(ask("?"));
}

std::uint32_t GdbRemote::reg(int number) {
  return word_of(ask(fmt::format("p{:x}", number)));
}

void GdbRemote::set_reg(int number, std::uint32_t value) {
  const std::string answer = ask(fmt::format("P{:x}={}", number, device::gdb_word(value)));
  if (answer != "OK") throw std::runtime_error("gdb: a register cannot be written: " + answer);
}

std::uint32_t GdbRemote::word(std::uint32_t address) {
  return word_of(ask(fmt::format("m{:x},4", address)));
}

void GdbRemote::set_breakpoint(std::uint32_t address) {
  static_cast<void>(ask(fmt::format("Z0,{:x},2", address)));
}

void GdbRemote::clear_breakpoint(std::uint32_t address) {
  static_cast<void>(ask(fmt::format("z0,{:x},2", address)));
}

void GdbRemote::step() {
  send("s");
  wait_stop();
}

void GdbRemote::run() {
  send("c");
}

bool GdbRemote::has_news() const {
  return taken_ != buffer_.size();
}

void GdbRemote::wait_stop() {
  const std::string news = receive();
  if (news.empty() || (news[0] != 'T' && news[0] != 'S'))
    throw std::runtime_error("gdb: no stop but " + news);
}

void GdbRemote::interrupt() {
  if (::send(socket_, &kInterrupt, 1, MSG_NOSIGNAL) != 1) throw std::runtime_error("gdb: connection lost");
  wait_stop();
}

void GdbRemote::monitor(std::string_view command) {
  const std::string packet = "qRcmd," + device::gdb_bytes(command);
  // What the command prints comes in packets that begin with O, before the answer.
  std::string answer = ask(packet);
  while (answer.size() > 1 && answer[0] == 'O' && answer != "OK") answer = receive();
}

std::string GdbRemote::ask(std::string_view packet) {
  send(packet);
  return receive();
}

void GdbRemote::send(std::string_view packet) {
  const std::string framed = device::gdb_packet(packet);
  if (::send(socket_, framed.data(), framed.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(framed.size()))
    throw std::runtime_error("gdb: connection lost");
  // The acknowledgement: what is readable from now on is an answer or a stop.
  while (next_byte() != '+') {
  }
}

/// The next packet's content; it is acknowledged.
std::string GdbRemote::receive() {
  std::optional<std::string> content;
  while (!(content = packets_.next())) packets_.feed(std::string(1, next_byte()));
  if (::send(socket_, "+", 1, MSG_NOSIGNAL) != 1) throw std::runtime_error("gdb: connection lost");
  return *content;
}

char GdbRemote::next_byte() {
  if (taken_ == buffer_.size()) {
    wait_readable(socket_);
    buffer_.resize(4096);
    const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) throw std::runtime_error("gdb: connection lost");
    buffer_.resize(static_cast<std::size_t>(got));
    taken_ = 0;
  }
  return buffer_[taken_++];
}

}  // namespace otasim::test
