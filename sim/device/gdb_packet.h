// GDB's remote serial protocol as QEMU speaks it: packets on a byte stream, and numbers in them.
//
// A packet is "$content#xx" with a sum in hexadecimal, and each is acknowledged with '+'. QEMU's contents
// hold no '$' or '#'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otasim::device {

inline constexpr std::size_t kMaxGdbPacketBytes = 64 * 1024;

/// The packet that carries `content`.
[[nodiscard]] std::string gdb_packet(std::string_view content);

/// A word in hexadecimal, as the processor has it in memory: little-endian.
[[nodiscard]] std::string gdb_word(std::uint32_t value);
/// @returns nothing if `text` does not begin with eight hexadecimal digits
[[nodiscard]] std::optional<std::uint32_t> gdb_word_value(std::string_view text);
/// Bytes in hexadecimal.
[[nodiscard]] std::string gdb_bytes(std::string_view bytes);

/// Cuts a stream into packets.
class GdbPacketReader {
 public:
  void feed(std::string_view bytes) { bytes_ += bytes; }
  /// The next whole packet's content; acknowledgements are passed over.
  [[nodiscard]] std::optional<std::string> next();
  /// Whether more was fed than any packet has.
  [[nodiscard]] bool is_overrun() const { return bytes_.size() > kMaxGdbPacketBytes; }

 private:
  std::string bytes_;
};

}  // namespace otasim::device
