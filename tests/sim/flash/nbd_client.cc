#include "tests/sim/flash/nbd_client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

namespace otasim::flash_file {
namespace {

std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

constexpr std::uint32_t kReplyMagic = 0x67446698;

}  // namespace

NbdClient::NbdClient(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    socket_ = std::move(socket);
}

NbdClient::Bytes NbdClient::fields(std::initializer_list<Field> all) {
  Bytes bytes;
  for (const Field& field : all) {
    for (int i = field.bytes - 1; i >= 0; --i)
      bytes.push_back(static_cast<std::uint8_t>(field.value >> (8 * i)));
  }
  return bytes;
}

NbdClient::Bytes NbdClient::option(std::uint32_t number_of_it, std::span<const std::uint8_t> data) {
  Bytes bytes = fields({{0x49484156454F5054, 8}, {number_of_it, 4}, {data.size(), 4}});
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

void NbdClient::send(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

NbdClient::Bytes NbdClient::receive(std::size_t count) {
  Bytes bytes(count);
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::recv(socket_.get(), bytes.data() + have, count - have, 0);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

bool NbdClient::go() {
  const Bytes greeting = receive(18);
  if (greeting.size() != 18 || std::memcmp(greeting.data(), "NBDMAGICIHAVEOPT", 16) != 0) return false;
  send(fields({{3, 4}}));
  // An empty name, and one thing to be told: the block size.
  send(option(7, fields({{0, 4}, {1, 2}, {3, 2}})));
  for (;;) {
    const Bytes header = receive(20);
    if (header.size() != 20 || number(std::span(header).first(8)) != 0x3E889045565A9) return false;
    const Bytes data = receive(number(std::span(header).subspan(16, 4)));
    const auto type = number(std::span(header).subspan(12, 4));
    if (type == 1) return size_ != 0;
    if (type != 3) return false;
    if (number(std::span(data).first(2)) == 0) size_ = number(std::span(data).subspan(2, 8));
  }
}

void NbdClient::send_write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  Bytes message = fields({{0x25609513, 4}, {0, 2}, {1, 2}, {++cookie_, 8}, {offset, 8}, {data.size(), 4}});
  message.insert(message.end(), data.begin(), data.end());
  send(message);
}

std::optional<std::uint32_t> NbdClient::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  send_write(offset, data);
  return receive_reply();
}

std::optional<std::uint32_t> NbdClient::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  const auto error = request(0, 0, offset, static_cast<std::uint32_t>(out.size()));
  if (error != 0) return error;
  const Bytes data = receive(out.size());
  if (data.size() != out.size()) return std::nullopt;
  std::ranges::copy(data, out.begin());
  return error;
}

std::optional<std::uint32_t> NbdClient::request(std::uint16_t flags, std::uint16_t type, std::uint64_t offset,
                                                std::uint32_t length) {
  send(fields({{0x25609513, 4}, {flags, 2}, {type, 2}, {++cookie_, 8}, {offset, 8}, {length, 4}}));
  return receive_reply();
}

std::optional<std::uint32_t> NbdClient::receive_reply() {
  const Bytes reply = receive(16);
  if (reply.size() != 16 || number(std::span(reply).first(4)) != kReplyMagic) return std::nullopt;
  if (number(std::span(reply).subspan(8, 8)) != cookie_) return std::nullopt;
  return static_cast<std::uint32_t>(number(std::span(reply).subspan(4, 4)));
}

}  // namespace otasim::flash_file
