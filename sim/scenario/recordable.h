// Whether a run can be recorded (`otasim run --record`); docs/record-replay.md has the table.
#pragma once

#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

/// @param faults  armed beside the scenario's own
/// @returns kUsage, with what stands in the way and what to do instead
[[nodiscard]] Result<void> check_recordable(const Scenario& scenario, const Cell& cell,
                                            const std::vector<nlohmann::json>& faults);

}  // namespace otasim::scenario
