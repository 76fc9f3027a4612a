// Whether the floating-point registers of a program survive interrupts that use them too.
#pragma once

#include <string_view>

namespace probe {

/// Takes over the tick interrupt. @returns "kept", "lost", or "none" for a program without floating point
[[nodiscard]] std::string_view try_floating_point();

}  // namespace probe
