// What planned cells came to, as results.
#pragma once

#include <string>

#include "sim/cli/scenario_result.h"
#include "sim/report/event_log.h"
#include "sim/scenario/library.h"
#include "sim/scenario/scenario_run.h"

namespace otasim::cli {

/// Which cell it is and the command that runs it; everything else is to be filled in.
/// @param result  as CellResult has it
[[nodiscard]] CellResult result_of(const scenario::PlannedCell& planned, std::string result);

/// @param words  what chooses the cell with all that was asked for on the command line (cell_words())
/// @param log    of the run: what it could not write is a warning
[[nodiscard]] CellResult result_of(const scenario::PlannedCell& planned, scenario::RunResult outcome,
                                   const std::string& words, const report::EventLog& log,
                                   const std::string& folder);

}  // namespace otasim::cli
