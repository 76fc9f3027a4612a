// The console beyond board.h: for init() and for fault reports.
#pragma once

#include <cstdint>

namespace mps2 {

void console_init();

/// Writes "0x" and eight digits.
void console_write_hex(std::uint32_t value);

}  // namespace mps2
