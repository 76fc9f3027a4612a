// One operation of an op log in plain words: where it acted, and what it wrote there.
#pragma once

#include <string>

#include "pal_sim/flash/op_log.h"

namespace otasim::inspect {

/// When it was done, to the microsecond; "unknown" if the log does not say.
[[nodiscard]] std::string time_text(const flash::LoggedOperation& operation);

/// "slot-b", "otp", or "no partition".
[[nodiscard]] std::string place_name(const flash::LoggedOperation& operation);

/// What it wrote, erased or locked, as far as its own data tell: "a first confirmation with the sequence 33:
/// staged is trial", "bytes 0x300 to 0x3ff of the slot". The operation may be anybody's.
[[nodiscard]] std::string what_it_did(const flash::LoggedOperation& operation);

}  // namespace otasim::inspect
