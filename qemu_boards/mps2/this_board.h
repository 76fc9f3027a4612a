// The board that is compiled for: OTASIM_BOARD is its name.
#pragma once

#include <string_view>

#include "qemu_boards/mps2/memory_map.h"

namespace mps2 {

/// Never defined: where a consteval function gets to it, the compiler stops.
void there_is_no_board_of_that_name();

consteval Board board_of(std::string_view name) {
  for (const Board& board : kBoards)
    if (board.name == name) return board;
  there_is_no_board_of_that_name();
  return {};
}

inline constexpr Board kBoard = board_of(OTASIM_BOARD);
inline constexpr std::uint32_t kEthernetIrq = kBoard.ethernet_irq;
inline constexpr std::uint32_t kInterruptLines = kBoard.interrupt_lines;
/// RAM that the bootloader keeps over a reset.
inline constexpr std::uint32_t kKeptAddress = kept_address(kBoard);
static_assert(kBoard.has_trustzone || kKeptAddress == kRamAddress);

}  // namespace mps2

/// For code that is the same for every family (qemu_boards/common).
namespace family = mps2;
