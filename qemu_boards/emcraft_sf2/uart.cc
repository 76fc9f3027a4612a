#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"
#include "qemu_boards/emcraft_sf2/mmuart.h"

namespace emcraft_sf2 {
namespace {

constexpr std::uint32_t kTransmit = 0x00;
constexpr std::uint32_t kDivisorLow = 0x00;   // while kDivisorAccess is set
constexpr std::uint32_t kDivisorHigh = 0x04;  // the same
constexpr std::uint32_t kLineControl = 0x0C;
constexpr std::uint32_t kLineStatus = 0x14;

constexpr std::uint32_t kEightBits = 3;
constexpr std::uint32_t kDivisorAccess = 1U << 7;
constexpr std::uint32_t kTransmitEmpty = 1U << 5;

constexpr std::uint32_t kPeripheralClockHz = kCoreClockHz / 2;
constexpr std::uint32_t kBaud = 115'200;
constexpr std::uint32_t kDivisor = kPeripheralClockHz / (16 * kBaud);
/// Reads of the line status before a transmitter counts as stuck: far longer than a byte takes.
constexpr std::uint32_t kMaxPolls = 1'000'000;

bool wait_until_empty(std::uint32_t base) {
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    if ((armv7m::reg(base + kLineStatus) & kTransmitEmpty) != 0) return true;
  }
  return false;
}

}  // namespace

void mmuart_init(std::uint32_t base) {
  armv7m::reg(base + kLineControl) = kDivisorAccess | kEightBits;
  armv7m::reg(base + kDivisorLow) = kDivisor & 0xFFU;
  armv7m::reg(base + kDivisorHigh) = kDivisor >> 8;
  armv7m::reg(base + kLineControl) = kEightBits;
}

bool mmuart_write(std::uint32_t base, std::string_view text) {
  for (const char c : text) {
    if (!wait_until_empty(base)) return false;
    armv7m::reg(base + kTransmit) = static_cast<std::uint8_t>(c);
  }
  return true;
}

}  // namespace emcraft_sf2

namespace drivers {

void uart_init() {
  emcraft_sf2::mmuart_init(emcraft_sf2::kUart0);
}

}  // namespace drivers

namespace board {

void console_write(std::string_view text) {
  emcraft_sf2::mmuart_write(emcraft_sf2::kUart0, text);
}

}  // namespace board
