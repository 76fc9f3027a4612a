// The result of one cell, as people, JSON and JUnit have it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::cli {

struct CellResult {
  std::string scenario;
  std::string kind;
  std::string board;
  std::string data;
  std::uint64_t seed = 1;
  std::string result;  ///< "passed", "failed", "error": it could not be run, "interrupted"
  std::vector<std::string> failures = {};
  std::vector<std::string> warnings = {};  ///< what is missing from its folder
  std::int64_t wall_ms = 0;
  nlohmann::json jobs = nlohmann::json::array();
  nlohmann::json devices = nlohmann::json::array();
  nlohmann::json images = nlohmann::json::object();
  std::string run = {};     ///< its folder
  std::string repeat = {};  ///< the command that runs it again
  std::string debug = {};   ///< the command that runs it under a debugger
  std::string replay =
      {};  ///< what plays its recording, or makes one and plays it; empty if none can be made

  [[nodiscard]] bool passed() const { return result == "passed"; }
  /// "OTAE2EGreaterVersion/mps2-an385/mqtt"
  [[nodiscard]] std::string name() const { return scenario + '/' + board + '/' + data; }
};

[[nodiscard]] nlohmann::json to_json(const CellResult& result);
/// @returns nothing of a value that no run has written
[[nodiscard]] Result<CellResult> cell_result_from(const nlohmann::json& value);
/// On stderr, for people.
void print_warnings(const CellResult& result);
/// On stdout: one line, and what did not hold.
void print(const CellResult& result);
[[nodiscard]] std::string junit_of(const std::vector<CellResult>& results);
/// @returns kFailed, with the commands that repeat them, if one has not passed
[[nodiscard]] Result<void> verdict_of(const std::vector<CellResult>& results);

}  // namespace otasim::cli
