// Plays one cell for another command than `otasim run`, and leaves all that a run leaves.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"
#include "sim/cli/scenario_result.h"
#include "sim/scenario/library.h"

namespace otasim::cli {

struct OneRun {
  std::string scenario;    ///< of the library, or a file
  std::string board = {};  ///< empty: the first that it runs on
  std::string data = {};   ///< empty: its first data protocol
  std::uint64_t seed = 1;
  std::string folder;  ///< to make
  bool is_quiet = false;
};

/// What was played, with its title.
struct PlayedRun {
  CellResult result;
  std::string title;
};

/// @param program  otasim itself
/// @returns kUsage for a scenario that is not there or does not run so; else as `otasim run`. A scenario that
///          fails is a result
[[nodiscard]] Result<PlayedRun> play_one(const OneRun& one, const std::string& program);

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
