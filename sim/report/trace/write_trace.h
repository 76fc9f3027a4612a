// A run's trace as a file, made from its folder.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::report::trace {

inline constexpr const char* kTraceFile = "trace.json";

struct WrittenTrace {
  std::string path;
  std::vector<std::string> problems = {};  ///< files of the folder that were left out, in words
};

/// @param path  empty: `trace.json` in the folder
/// @returns kEnvironment if there is no event log or the file cannot be written; kUsage for a later version's
///          log
[[nodiscard]] Result<WrittenTrace> write_trace(const std::string& folder, const std::string& path = {});

}  // namespace otasim::report::trace
