#include "sim/cli/cell_results.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace otasim::cli {

CellResult result_of(const scenario::PlannedCell& planned, std::string result) {
  return {.scenario = planned.entry.name,
          .kind = planned.entry.kind,
          .board = planned.cell.board,
          .data = planned.cell.data,
          .seed = planned.cell.seed,
          .result = std::move(result),
          .repeat = planned.command()};
}

CellResult result_of(const scenario::PlannedCell& planned, scenario::RunResult outcome,
                     const std::string& words, const report::EventLog& log, const std::string& folder) {
  CellResult result = result_of(planned, outcome.passed() ? "passed" : "failed");
  result.failures = std::move(outcome.failures);
  result.warnings = std::move(outcome.warnings);
  if (const int error = log.write_error(); error != 0) {
    result.warnings.push_back(fmt::format("events.jsonl ends early, and with it all that is made from it: {}",
                                          std::strerror(error)));
  }
  result.wall_ms = outcome.wall_ms;
  result.jobs = std::move(outcome.jobs);
  result.devices = std::move(outcome.devices);
  result.images = std::move(outcome.images);
  result.run = folder;
  result.repeat = "otasim run " + words;
  result.debug = "otasim debug " + words;
  return result;
}

}  // namespace otasim::cli
