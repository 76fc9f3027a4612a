#include "sim/device/gdb_packet.h"

#include <fmt/format.h>

#include <charconv>

namespace otasim::device {
namespace {

constexpr std::size_t kSumDigits = 2;

std::optional<std::uint8_t> hex_byte(std::string_view digits) {
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string gdb_packet(std::string_view content) {
  unsigned sum = 0;
  for (const char c : content) sum += static_cast<unsigned char>(c);
  return fmt::format("${}#{:02x}", content, sum & 0xFF);
}

std::string gdb_word(std::uint32_t value) {
  std::string text;
  for (unsigned i = 0; i < 4; ++i) text += fmt::format("{:02x}", (value >> (8 * i)) & 0xFF);
  return text;
}

std::optional<std::uint32_t> gdb_word_value(std::string_view text) {
  if (text.size() < 8) return std::nullopt;
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const auto byte = hex_byte(text.substr(2 * std::size_t{i}, 2));
    if (!byte) return std::nullopt;
    value |= static_cast<std::uint32_t>(*byte) << (8 * i);
  }
  return value;
}

std::string gdb_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::optional<std::string> GdbPacketReader::next() {
  const std::size_t begin = bytes_.find('$');
  if (begin == std::string::npos) {
    bytes_.clear();
    return std::nullopt;
  }
  const std::size_t end = bytes_.find('#', begin);
  if (end == std::string::npos || bytes_.size() - end <= kSumDigits) return std::nullopt;
  std::string content = bytes_.substr(begin + 1, end - begin - 1);
  bytes_.erase(0, end + 1 + kSumDigits);
  return content;
}

}  // namespace otasim::device
