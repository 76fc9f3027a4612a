// The lab's console: a certificate that is no thing's and may do everything at the broker, for people who
// want to see the events (`$aws/events/#`), and to try things with an MQTT client of their own.
#pragma once

#include "sim/base/result.h"
#include "sim/lab/running_lab.h"

namespace otasim::lab {

/// Makes the certificate known to the lab, with a policy that allows all. What is there already stays.
/// @returns the identity; kEnvironment if it cannot be made or registered
[[nodiscard]] Result<Identity> register_console(RunningLab& lab);

}  // namespace otasim::lab
