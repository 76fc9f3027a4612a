// Options that say what a scenario is played with; `run` and `debug` have them alike.
#pragma once

#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/library.h"
#include "sim/scenario/scenario.h"

namespace otasim::cli {

/// --set: "NAME=VALUE"; a value that is a number, true or false is one, anything else a text. @returns kUsage
[[nodiscard]] Result<nlohmann::json> parse_parameters(const std::vector<std::string>& texts);
/// --fault. @returns kUsage
[[nodiscard]] Result<std::vector<nlohmann::json>> parse_faults(const std::vector<std::string>& texts);
/// Whether the scenario has the devices that faults name. @param texts  as they were given. @returns kUsage
[[nodiscard]] Result<void> check_fault_options(const scenario::Scenario& scenario,
                                               const std::vector<nlohmann::json>& faults,
                                               const std::vector<std::string>& texts);
/// --strict-flash: on every device.
void arm_strict_flash(scenario::Scenario& scenario);

/// The options as they were given, for the commands that repeat a run.
struct CellArguments {
  std::vector<std::string> parameters = {};
  std::vector<std::string> faults = {};
  bool strict_flash = false;
};

/// "SCENARIO --board BOARD ...": what `otasim run` and `otasim debug` take to play the same again.
[[nodiscard]] std::string cell_words(const scenario::PlannedCell& planned, const CellArguments& arguments);

}  // namespace otasim::cli
