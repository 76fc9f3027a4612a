// Plays one scenario for another command, with progress for a person, and leaves its run folder.
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/cli/scenario_result.h"

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

}  // namespace otasim::cli
