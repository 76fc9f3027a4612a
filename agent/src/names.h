// Names of states and events for a log, without their common prefix.
#pragma once

#include "agent/include/ota.h"

namespace ota {

/// "Unknown" for a value that has no name.
[[nodiscard]] const char* name_of(OtaState_t state);
[[nodiscard]] const char* name_of(OtaEvent_t event);

}  // namespace ota
