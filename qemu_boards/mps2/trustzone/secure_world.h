// What the parts of the secure world have of each other.
#pragma once

#include <cstdint>

#include "agent/boot/boot_info.h"

namespace mps2 {

/// Interrupts of the devices that are given away go to the non-secure world.
void give_interrupts_away();

/// Whether [address, address + size) is memory of the application's that the secure world may read or write
/// for it, by its place and by TrustZone's own test.
[[nodiscard]] bool is_application_memory(const void* address, std::uint32_t size, bool is_written);

/// Whether the secure stack stands about where it was left when the application was started. By forged
/// returns the application can leave frames on it, until there is no room to handle a fault in.
[[nodiscard]] bool is_stack_as_left();

}  // namespace mps2
