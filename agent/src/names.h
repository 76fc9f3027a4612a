// Names of states and events for a log, without their common prefix, and what a note says.
#pragma once

#include "agent/include/ota.h"
#include "agent/src/note.h"

namespace ota {

/// "Unknown" for a value that has no name.
[[nodiscard]] const char* name_of(OtaState_t state);
[[nodiscard]] const char* name_of(OtaEvent_t event);
[[nodiscard]] const char* name_of(Note note);

}  // namespace ota
