// Watchdog: a supervisor outside the chip, at the other end of MMUART1 (the heartbeat line). QEMU does not
// model the chip's own. The board's side of the line, each line ended by "\n":
//
//   start MS   decimal; arms it, or arms it anew, with that many milliseconds
//   feed       the time begins again
//   stop       disarms it
//
// When the time is over the supervisor pulls the reset line. A reset of any kind disarms it. It cannot tell
// the processor why it was reset, so what is armed is noted in RAM that survives: a reset that nobody
// explained since then was the supervisor's - or somebody's who pulled the same line.
//
// During a trial the MPU keeps the application from MMUART1 (memory_protection.cc).
#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "qemu_boards/common/board.h"
#include "qemu_boards/common/drivers.h"
#include "qemu_boards/common/handlers.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"
#include "qemu_boards/emcraft_sf2/mmuart.h"

namespace {

constexpr std::uint32_t kLine = emcraft_sf2::kUart1;

/// A line takes a millisecond at 115,200 baud; feeding more often than this helps nobody.
constexpr std::uint32_t kFeedsPerTimeout = 16;
/// What the supervisor takes at most.
constexpr std::uint32_t kMaxTimeoutMs = 600'000;

std::uint32_t g_feed_every_ms = 0;
std::uint32_t g_last_feed_ms = 0;

void begin(std::uint32_t timeout_ms) {
  g_feed_every_ms = timeout_ms / kFeedsPerTimeout;
  g_last_feed_ms = board::millis();
}

}  // namespace

/// Nothing on this chip raises it.
extern "C" [[gnu::naked]] void nmi_handler() {
  __asm volatile("b fault_handler\n");
}

namespace board {

void watchdog_start(std::uint32_t timeout_ms) {
  const std::uint32_t limited = std::clamp<std::uint32_t>(timeout_ms, 1, kMaxTimeoutMs);
  std::array<char, 20> line{'s', 't', 'a', 'r', 't', ' '};
  char* const end = std::to_chars(line.data() + 6, line.data() + line.size() - 1, limited).ptr;
  *end = '\n';
  drivers::note_reset_reason(boot::ResetReason::kWatchdog);
  emcraft_sf2::mmuart_init(kLine);
  // Nothing runs without the supervisor that was asked for.
  if (!emcraft_sf2::mmuart_write(kLine, {line.data(), static_cast<std::size_t>(end + 1 - line.data())}))
    reset();
  begin(limited);
}

void watchdog_feed() {
  const std::uint32_t now = millis();
  if (now - g_last_feed_ms < g_feed_every_ms) return;
  g_last_feed_ms = now;
  emcraft_sf2::mmuart_write(kLine, "feed\n");
}

void watchdog_stop() {
  emcraft_sf2::mmuart_write(kLine, "stop\n");
  drivers::forget_reset_reason();
}

}  // namespace board
