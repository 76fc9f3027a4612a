// One cell played by another command than `otasim run`, and all that a run leaves: result.json, report.html.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"
#include "sim/cli/scenario_result.h"
#include "sim/scenario/library.h"

namespace otasim::cli {

struct CellOrder {
  scenario::PlannedCell planned;
  nlohmann::json parameters = nlohmann::json::object();  ///< replace the scenario's
  std::string out = {};                                  ///< run folder; empty: a new one below otasim-runs/
  bool quiet = false;
};

/// @returns as scenario::play(); the hint names the run folder
[[nodiscard]] Result<CellResult> run_cell(const CellOrder& order);

/// Parameters as `--set` has them: "NAME=VALUE", a text that looks like another value in quotes.
[[nodiscard]] std::vector<std::string> parameter_texts(const nlohmann::json& parameters);

}  // namespace otasim::cli
