// Console: CMSDK APB UART 0 (Cortex-M System Design Kit, "APB UART"), transmitter only, polled.
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

constexpr std::uint32_t kData = mps2::kBoard.uart0 + 0x00;
constexpr std::uint32_t kState = mps2::kBoard.uart0 + 0x04;
constexpr std::uint32_t kControl = mps2::kBoard.uart0 + 0x08;
constexpr std::uint32_t kBaudDivider = mps2::kBoard.uart0 + 0x10;

constexpr std::uint32_t kStateTxFull = 1U << 0;
constexpr std::uint32_t kControlTxEnable = 1U << 0;
constexpr std::uint32_t kBaud = 115200;
/// Reads of the state before the transmitter counts as stuck: far more than a byte takes on the wire.
constexpr std::uint32_t kMaxPolls = 100'000;

bool wait_until_free() {
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    if ((armv7m::reg(kState) & kStateTxFull) == 0) return true;
  }
  return false;
}

}  // namespace

namespace drivers {

void uart_init() {
  armv7m::reg(kBaudDivider) = mps2::kBoard.core_clock_hz / kBaud;
  armv7m::reg(kControl) = kControlTxEnable;
}

}  // namespace drivers

namespace board {

/// A transmitter that takes nothing, because a program has turned it off, must not keep anybody from
/// resetting: the rest of the text is lost then.
void console_write(std::string_view text) {
  for (const char c : text) {
    if (!wait_until_free()) return;
    armv7m::reg(kData) = static_cast<std::uint8_t>(c);
  }
}

}  // namespace board
