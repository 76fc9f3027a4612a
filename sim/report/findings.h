// What went wrong in a run, in the order it happened, told in words: from a run folder's result.json and
// events.jsonl. Only what a person who looks for a cause wants to see: refusals, failures, resets that nobody
// asked for, ends of connections, faults that struck, and what agent and application complained of.
//
// Everything in the folder may be anybody's: lines that are no events are skipped, texts are made printable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/report/reasons.h"

namespace otasim::report {

struct Finding {
  std::int64_t t_us = 0;  ///< of the first time
  std::string device;     ///< may be empty
  std::string what;       ///< "boot: reject slot=B reason=trial-failed back-to=A"
  std::size_t count = 1;  ///< how often the same was found
  std::vector<Explained> words;
};

struct Failure {
  std::string text;
  std::vector<Explained> words;
};

struct RunFindings {
  std::string name;    ///< "OTAE2ECrashImage on mps2-an385 over mqtt"; may be empty
  std::string result;  ///< "passed", "failed"; empty: the run has not come to its end
  std::string repeat;  ///< the command that plays it again; may be empty
  std::vector<Failure> failures;
  std::vector<Finding> findings;
  std::size_t left_out = 0;  ///< findings beyond the limit
};

/// @returns kUsage if the folder is no run's
[[nodiscard]] Result<RunFindings> read_findings(const std::string& folder);

}  // namespace otasim::report
