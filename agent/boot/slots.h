// Where each slot stands in flash, and its name in messages.
#pragma once

#include <string_view>

#include "agent/boot/boot_info.h"
#include "pal_sim/flash/flash_map.h"

namespace boot {

/// The slot's partition; null for Slot::kNone and for values that are no slot.
[[nodiscard]] const flash::Partition* slot_partition(Slot slot);

/// "A", "B", "recovery" or "none".
[[nodiscard]] std::string_view slot_name(Slot slot);

/// Slots an update can be received into.
[[nodiscard]] constexpr bool is_application_slot(Slot slot) {
  return slot == Slot::kA || slot == Slot::kB;
}

}  // namespace boot
