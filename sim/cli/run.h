// Plays one cell for another command than `otasim run`, and leaves all that a run leaves.
#pragma once

#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/cli/scenario_result.h"
#include "sim/scenario/library.h"

namespace otasim::cli {

struct CellOrder {
  scenario::PlannedCell planned;
  nlohmann::json parameters = nlohmann::json::object();  ///< replace the scenario's
  std::string out = {};                                  ///< run folder; empty: a new one below otasim-runs/
  bool quiet = false;
  bool keylog = false;     ///< log the TLS secrets
  bool no_report = false;  ///< neither report.html nor demo.cast
};

/// The one cell of a scenario to play.
/// @param name   of the library, or a file
/// @param board  empty: the first that it runs on
/// @param data   empty: its first data protocol
/// @returns kUsage for a scenario that is not there or does not run so
[[nodiscard]] Result<scenario::PlannedCell> plan_one(const std::string& name, const std::string& board,
                                                     const std::string& data, std::uint64_t seed);

/// @param program  otasim itself, for a scenario that kills its simulator
/// @returns as scenario::play(); the hint names the run folder
[[nodiscard]] Result<CellResult> run_cell(const CellOrder& order, const std::string& program);

/// Parameters as `--set` has them: "NAME=VALUE", a text that looks like another value in quotes.
[[nodiscard]] std::vector<std::string> parameter_texts(const nlohmann::json& parameters);

}  // namespace otasim::cli
