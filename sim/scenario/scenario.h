// A scenario: what is set up, what happens step by step, and what must come of it. docs/scenario-format.md is
// the format's reference.
//
//   auto scenario = Scenario::load("update.json", {{"image_bytes", 300000}});
//   for (const Step& step : scenario->steps) ...
//
// A loaded scenario is whole: every member has the right type, includes are merged, parameters are put in,
// and every name that it uses is one it defines. What is left for the run are things only a run can tell.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/shape.h"

namespace otasim::scenario {

/// One cell of the matrix: what a scenario is run on, and over.
struct Cell {
  std::string board = "mps2-an385";
  std::string data = "mqtt";  ///< data protocol of the updates: "mqtt" or "http"
  std::uint64_t seed = 1;
};

struct Step {
  std::string name;          ///< "update", "wait", ...
  nlohmann::json arguments;  ///< checked against the step's shape
  std::string where;         ///< "FILE:LINE"
};

struct Scenario {
  std::string file;
  std::string name;
  std::string title;
  std::string source;  ///< where the case comes from, for people
  std::string kind;    ///< "aws", "aws-retired", "own"
  bool is_slow = false;
  std::vector<std::string> boards;  ///< empty: all
  std::vector<std::string> data;    ///< "mqtt", "http"
  std::vector<std::string> needs;   ///< capabilities a board must have
  double limit_s = 60;              ///< of the whole run
  std::uint16_t mqtt_port = 0;      ///< 0: any free one
  nlohmann::json images;            ///< by name
  nlohmann::json devices;           ///< list
  nlohmann::json groups;            ///< by name
  std::vector<nlohmann::json> faults;
  std::vector<Step> steps;
  nlohmann::json expect;

  /// Reads a scenario for one cell.
  /// @param parameters  replace those of the file; an object of scalars
  /// @returns kUsage, with file, line and hint
  [[nodiscard]] static Result<Scenario> load(const std::string& path, const Cell& cell,
                                             const nlohmann::json& parameters = nlohmann::json::object());
  /// The same of a text that is at hand; what it includes is read from the folder of `path`.
  [[nodiscard]] static Result<Scenario> from_text(
      std::string_view text, const std::string& path, const Cell& cell,
      const nlohmann::json& parameters = nlohmann::json::object());
  /// Whether a fault that does not come from the file names a device of the scenario. @returns kUsage
  [[nodiscard]] Result<void> check_fault_names(const nlohmann::json& fault, const std::string& where) const;
};

/// The format's tables: what a scenario file may hold.
[[nodiscard]] const Shape& scenario_shape();
/// Checks one step's arguments that come from elsewhere than a file. @returns kUsage
[[nodiscard]] Result<void> check_fault(const nlohmann::json& fault, const std::string& where);

}  // namespace otasim::scenario
