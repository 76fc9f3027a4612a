// Whether a program fits a board: its processor, and where the program stands in memory.
//
// What does not fit is a wrong command line (kUsage). The message says what differs, and the hint which
// boards it would fit, if there are any.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/boards.h"

namespace otasim::lab {

/// An application as linked (ELF): the bytes that stand behind its image's header.
[[nodiscard]] Result<std::vector<std::uint8_t>> application_payload(std::span<const std::uint8_t> elf,
                                                                    const Board& board);

/// A bootloader as linked (ELF). All that is loaded of it must lie in the board's boot ROM.
[[nodiscard]] Result<void> check_bootloader(std::span<const std::uint8_t> elf, const Board& board);

}  // namespace otasim::lab
