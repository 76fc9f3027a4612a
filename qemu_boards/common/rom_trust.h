// What the boot ROM lends to the application, on boards without a secure world. Only the board's own files
// include this: the application has board::identity() and board::code_signing_root().
#pragma once

#include "agent/boot/rom_trust.h"

namespace board {

[[nodiscard]] const boot::RomTrust& rom_trust();

}  // namespace board
