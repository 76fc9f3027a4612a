// One client of the NBD server, without its socket: bytes in, bytes out.
//
//   NbdConnection connection(disk);
//   send(connection.output());  connection.clear_output();           // the greeting
//   const std::size_t taken = connection.take(received);             // at most one message; 0: more is
//   needed
//   ... until connection.is_closed()
//
// A client is trusted with nothing. What it may ask for and does not get is refused with the protocol's own
// error; what breaks the protocol, or is longer than nbd_protocol.h allows, closes the connection. A message
// is at most kMaxMessageBytes long, so that a buffer of that size always gets on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sim/flash/nbd_protocol.h"
#include "sim/flash/nor_disk.h"

namespace otasim::flash_file {

/// A write that no flash chip would have made.
struct RefusedWrite {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

class NbdConnection {
 public:
  static constexpr std::size_t kMaxMessageBytes = nbd::kRequestHeaderSize + nbd::kMaxRequestBytes;

  /// @param disk  outlives the connection
  /// @param on_refused  optional; told of each write that is refused for what it would do
  explicit NbdConnection(NorDisk& disk, std::function<void(const RefusedWrite&)> on_refused = {});

  /// Takes the first message of `input` if it is whole. @returns how many bytes it took
  [[nodiscard]] std::size_t take(std::span<const std::uint8_t> input);

  /// What is to be sent, from the first byte that has not been.
  [[nodiscard]] std::span<const std::uint8_t> output() const { return output_; }
  void clear_output() { output_.clear(); }

  /// No message is taken any more; the output is to be sent, and then the connection is over.
  [[nodiscard]] bool is_closed() const { return state_ == State::kClosed; }
  /// Power is cut: nothing is answered or taken any more.
  [[nodiscard]] bool is_without_power() const { return state_ == State::kWithoutPower; }

 private:
  using Bytes = std::span<const std::uint8_t>;
  enum class State { kClientFlags, kOptions, kTransmission, kClosed, kWithoutPower };
  struct Request {
    std::uint16_t flags;
    std::uint16_t type;
    std::uint64_t cookie;
    std::uint64_t offset;
    std::uint32_t length;
  };

  [[nodiscard]] std::size_t take_client_flags(Bytes input);
  [[nodiscard]] std::size_t take_option(Bytes input);
  [[nodiscard]] std::size_t take_request(Bytes input);
  void handle_option(std::uint32_t option, Bytes data);
  void handle_export_name(Bytes name);
  void handle_info(std::uint32_t option, Bytes data);
  void handle_request(const Request& request, Bytes data);
  void read(const Request& request);
  void write(const Request& request, Bytes data);
  void put_option_reply(std::uint32_t option, std::uint32_t type, Bytes data = {});
  void put_reply(const Request& request, nbd::ReplyError error);
  void answer(const Request& request, DiskOutcome outcome);
  [[nodiscard]] std::size_t close();

  NorDisk& disk_;
  std::function<void(const RefusedWrite&)> on_refused_;
  std::vector<std::uint8_t> output_;
  State state_ = State::kClientFlags;
  bool wants_zeroes_ = true;
  int options_ = 0;
};

}  // namespace otasim::flash_file
