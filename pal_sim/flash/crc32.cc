#include "pal_sim/flash/crc32.h"

#include <array>

namespace flash {
namespace {

// Four bits at a time: 64 bytes of table instead of 1 KiB, which matters in the boot ROM.
constexpr std::array<std::uint32_t, 16> make_table() {
  std::array<std::uint32_t, 16> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 4; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB8'8320u : value >> 1;
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 16> kTable = make_table();

}  // namespace

std::uint32_t crc32(std::span<const std::uint8_t> data, std::uint32_t previous) {
  std::uint32_t crc = ~previous;
  for (const std::uint8_t byte : data) {
    crc ^= byte;
    crc = (crc >> 4) ^ kTable[crc & 0xF];
    crc = (crc >> 4) ^ kTable[crc & 0xF];
  }
  return ~crc;
}

}  // namespace flash
