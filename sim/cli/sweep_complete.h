// Completion cases of `otasim sweep power-cut --complete`: each in a process of its own, because each has a
// whole lab.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/sweep/completion.h"

namespace otasim::cli {

struct CompletedCase {
  sweep::CompletionCase wanted;
  std::vector<std::string> ends = {};      ///< how its jobs have ended
  std::vector<std::string> failures = {};  ///< each begins with an invariant's name
  std::string repeat = {};
  std::string run = {};  ///< its folder; empty: removed, because nothing failed
};

struct Completions {
  std::string recording;
  std::vector<CompletedCase> cases = {};
  double seconds = 0;
  bool was_interrupted = false;

  [[nodiscard]] std::size_t failed() const;
};

struct CompletionOptions {
  std::string program;  ///< otasim itself
  std::string folder;   ///< where failed cases' runs are kept; exists
  std::size_t cuts = 50;
  std::uint64_t seed = 1;
  unsigned jobs = 1;
  bool quiet = false;
};

/// Plays sampled cases, so many at a time. Ctrl-C ends it and keeps what it has.
[[nodiscard]] Result<Completions> complete_sampled(const sweep::Recording& recording,
                                                   const CompletionOptions& options);

/// Plays one case here, and leaves result.json in the folder.
/// @param folder  exists
[[nodiscard]] Result<CompletedCase> complete_one(const sweep::Recording& recording,
                                                 const sweep::CompletionCase& wanted,
                                                 const std::string& folder, bool is_quiet);

[[nodiscard]] nlohmann::json to_json(const std::vector<Completions>& completions);

}  // namespace otasim::cli
