// A client of the NBD server for tests: a real socket, and the protocol written a second time.
//
//   NbdClient client(path);
//   client.go();
//   client.write(offset, bytes)   // the server's error number; nothing if the connection ended
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/unique_fd.h"

namespace otasim::flash_file {

class NbdClient {
 public:
  using Bytes = std::vector<std::uint8_t>;

  /// Connects. is_connected() says whether it could.
  explicit NbdClient(const std::string& path);
  [[nodiscard]] bool is_connected() const { return static_cast<bool>(socket_); }

  /// Handshake with NBD_OPT_GO. @returns whether transmission has begun; the size is then known
  [[nodiscard]] bool go();
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// @returns the error number of the reply; nothing if none came
  [[nodiscard]] std::optional<std::uint32_t> write(std::uint64_t offset, std::span<const std::uint8_t> data);
  [[nodiscard]] std::optional<std::uint32_t> read(std::uint64_t offset, std::span<std::uint8_t> out);
  [[nodiscard]] std::optional<std::uint32_t> request(std::uint16_t flags, std::uint16_t type,
                                                     std::uint64_t offset, std::uint32_t length);
  void send_write(std::uint64_t offset, std::span<const std::uint8_t> data);

  void send(std::span<const std::uint8_t> bytes);
  /// @returns fewer bytes if the connection ended
  [[nodiscard]] Bytes receive(std::size_t count);
  /// Whether the other end has closed, and sent nothing more.
  [[nodiscard]] bool is_ended() { return receive(1).empty(); }
  void close() { socket_.reset(); }

  /// One after the other, each big-endian in as many bytes as it says.
  struct Field {
    std::uint64_t value;
    int bytes;
  };
  [[nodiscard]] static Bytes fields(std::initializer_list<Field> all);
  [[nodiscard]] static Bytes option(std::uint32_t number, std::span<const std::uint8_t> data);

 private:
  [[nodiscard]] std::optional<std::uint32_t> receive_reply();

  UniqueFd socket_;
  std::uint64_t size_ = 0;
  std::uint64_t cookie_ = 0x1234'5678'9ABC'DEF0;
};

}  // namespace otasim::flash_file
