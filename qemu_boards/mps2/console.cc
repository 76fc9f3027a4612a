// The console: CMSDK APB UART 0, transmit by polling.
#include "qemu_boards/mps2/console.h"

#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/boards.h"
#include "qemu_boards/mps2/registers.h"

namespace mps2 {
namespace {

constexpr std::uint32_t kData = kBoard.uart + 0x00;
constexpr std::uint32_t kState = kBoard.uart + 0x04;
constexpr std::uint32_t kControl = kBoard.uart + 0x08;
constexpr std::uint32_t kBaudDivider = kBoard.uart + 0x10;

constexpr std::uint32_t kStateTxFull = 1U << 0;
constexpr std::uint32_t kControlTxEnable = 1U << 0;
constexpr std::uint32_t kBaudRate = 115'200;

}  // namespace

void console_init() {
  reg(kBaudDivider) = kBoard.clock_hz / kBaudRate;
  reg(kControl) = kControlTxEnable;
}

void console_write_hex(std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  char text[] = "0x00000000";
  for (unsigned digit = 0; digit < 8; ++digit) text[2 + digit] = kDigits[(value >> (28 - 4 * digit)) & 0xF];
  board::console_write({text, 10});
}

}  // namespace mps2

namespace board {

void console_write(std::string_view text) {
  for (const char character : text) {
    while ((mps2::reg(mps2::kState) & mps2::kStateTxFull) != 0) {
    }
    mps2::reg(mps2::kData) = static_cast<unsigned char>(character);
  }
}

}  // namespace board
