// What a C++ application may set on the agent behind the C API, before OTA_Init().
#pragma once

#include "agent/src/agent.h"
#include "agent/src/c_environment.h"

namespace ota {

/// Run-time settings in place of the compile-time defaults.
void configure(const Settings& settings);

/// Platform knowledge and log hooks beyond AWS's interfaces.
void set_extras(const Extras& extras);

}  // namespace ota
