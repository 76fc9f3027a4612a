// The results of a sweep, as JSON (docs/sweep.md) and JUnit have them.
#pragma once

#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/cli/sweep_complete.h"
#include "sim/sweep/power_cut_sweep.h"

namespace otasim::cli {

/// The sweep of one recording.
struct SweptRecording {
  std::string name;
  std::string folder;
  std::string board;  ///< that was booted
  std::vector<flash::LoggedOperation> operations;
  sweep::SweepPlan plan;
  sweep::SweepResult result;

  /// The command that plays one case alone.
  [[nodiscard]] std::string repeat_command(const sweep::CutPath& path) const;
};

/// What `--json` prints: the counts and rates of all recordings, and the failures.
[[nodiscard]] nlohmann::json summary_of(const std::vector<SweptRecording>& swept);
/// The same with every operation's cases and failures, by kind of cut: what the report draws.
[[nodiscard]] nlohmann::json data_of(const std::vector<SweptRecording>& swept);
/// A test case for each recording, source, kind of operation and partition, and one for each completed
/// update.
[[nodiscard]] std::string junit_of(const std::vector<SweptRecording>& swept,
                                   const std::vector<Completions>& completions);

}  // namespace otasim::cli
