// The check value of BootInfo: how the application tells a hand-over from whatever RAM held at power-on.
//
// The bootloader fills the fields and calls seal(); the application believes them only if is_sealed().
#pragma once

#include "agent/boot/boot_info.h"

namespace boot {

/// Sets the magic and the check value.
void seal(BootInfo& info);

/// @returns true if the bootloader of this boot wrote it and nothing changed since.
[[nodiscard]] bool is_sealed(const BootInfo& info);

}  // namespace boot
