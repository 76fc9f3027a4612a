// `otasim doctor`: is everything here that a run needs?
#pragma once

#include "sim/base/result.h"

namespace otasim::cli {

/// Prints one line a check. @returns kEnvironment if any failed
[[nodiscard]] Result<void> doctor(bool as_json);

}  // namespace otasim::cli
