// The limits of an execution's statusDetails.
#pragma once

#include "sim/cloud/job_execution.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr std::size_t kMaxDetails = 10;
inline constexpr std::size_t kMaxDetailKey = 128;
inline constexpr std::size_t kMaxDetailValue = 1024;  ///< characters

/// @returns kInvalidRequest if there are too many pairs, or a key or a value breaks AWS's pattern
[[nodiscard]] ServiceResult<void> check_details(const StatusDetails& details);

}  // namespace otasim::cloud
