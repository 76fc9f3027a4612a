#include "sim/replay/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace otasim::replay {
namespace {

constexpr std::uint32_t kMiB = 1024 * 1024;
constexpr std::uint32_t kKiB = 1024;

// SSRAM1, SSRAM2 with SSRAM3 (QEMU's hw/arm/mps2.c; Application Note AN385, section 4).
constexpr std::array kMps2 = {MemoryRange{0x0000'0000, 4 * kMiB}, MemoryRange{0x2000'0000, 4 * kMiB}};
// SSRAM1, SSRAM2, SSRAM3 and the internal SRAM (QEMU's hw/arm/mps2-tz.c; Application Note AN505, section 4).
constexpr std::array kAn505 = {MemoryRange{0x1000'0000, 4 * kMiB}, MemoryRange{0x3800'0000, 2 * kMiB},
                               MemoryRange{0x3820'0000, 2 * kMiB}, MemoryRange{0x3000'0000, 32 * kKiB}};
struct BoardRow {
  std::string_view board;
  std::span<const MemoryRange> memory;
};

constexpr std::array kBoards = {BoardRow{"mps2-an385", kMps2}, BoardRow{"mps2-an386", kMps2},
                                BoardRow{"mps2-an500", kMps2}, BoardRow{"mps2-an505", kAn505}};

constexpr std::array<std::string_view, 2> kDebuggersFaults = {"device.watchdog", "device.skip_instruction"};

}  // namespace

std::span<const MemoryRange> kept_memory(std::string_view board) {
  const auto row = std::ranges::find(kBoards, board, &BoardRow::board);
  return row == kBoards.end() ? std::span<const MemoryRange>() : row->memory;
}

Result<void> check_board(std::string_view board) {
  if (!kept_memory(board).empty()) return {};
  const std::string_view reason =
      board == "mps2-an521"
          ? "It has two processors, and QEMU records machines with one."
          : "Its flash is a drive that the simulator serves, whose answers QEMU's recording "
            "does not hold.";
  return fail(
      ExitCode::kUsage, fmt::format("a run on the board '{}' cannot be recorded", board),
      fmt::format("{} Record on mps2-an385, -an386, -an500 or -an505, or use `otasim run` without --record.",
                  reason));
}

Result<void> check_fault(std::string_view fault) {
  if (std::ranges::count(kDebuggersFaults, fault) == 0) return {};
  return fail(ExitCode::kUsage, fmt::format("a run with the fault {} cannot be recorded", fault),
              "It writes the processor's registers or the watchdog's through QEMU's debugger, which a "
              "recording does not hold. Use `otasim run` without --record.");
}

}  // namespace otasim::replay
