// Whether a scenario can be played on a board: the capabilities that it states, and the faults that it arms.
//
// Nobody has to state what a fault needs: what each board's flash can express is in sim/flash/back_end.h.
#pragma once

#include <optional>
#include <string>

#include "sim/lab/boards.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

/// @param scenario  loaded for this board, so that steps for other boards do not count
/// @returns why not: "it needs the capability 'otp'", or a fault and what keeps it from being armed; nothing
/// if
///          it can
[[nodiscard]] std::optional<std::string> why_not(const Scenario& scenario, const lab::Board& board);

}  // namespace otasim::scenario
