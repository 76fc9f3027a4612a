// Boot states that tests can tell apart.
#pragma once

#include <cstdint>

#include "agent/boot/boot_control.h"

namespace boot_test {

/// States that differ in every field a test looks at.
inline boot::BootState numbered(std::uint32_t number) {
  boot::BootState state;
  state.committed_slot = boot::Slot::kA;
  state.committed.security_counter = number;
  state.committed.size = ~number;
  state.committed.digest.fill(static_cast<std::uint8_t>(number * 37));
  return state;
}

inline std::uint32_t number_of(const boot::BootControl& control) {
  return control.state().committed.security_counter;
}

}  // namespace boot_test
