// Completion cases: the power is cut within a recorded update, and everything goes on - the device from the
// flash that the cut has left, the cloud from what it knew then - until the update is over. The whole lab
// works: broker, cloud, link, agent and bootloader.
//
//   auto history = scenario::LabHistory::load(recording.folder);
//   for (const CompletionCase& one : sample_completions(recording, *history, 50, seed)) {
//     auto prepared = prepare_completion(recording, *history, one, folder);   // makes the folder's files
//     auto log = report::EventLog::resume(...);
//     auto result = scenario::play(prepared->plan, *log);                     // S1 to S6, L2; its waits are
//     L1 wrong_ends(result->jobs, prepared->may_end)
//   }
//
// Flash and cloud are those of one moment: the store is the last snapshot that was taken before the cut
// operation. The message behind that snapshot is the last one of the device's that reached the cloud;
// undelivered, the store is the one before it: the message was lost with the power.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/lab_snapshots.h"
#include "sim/scenario/scenario_run.h"
#include "sim/sweep/cut.h"
#include "sim/sweep/recording.h"

namespace otasim::sweep {

struct CompletionCase {
  std::size_t operation = 0;  ///< of the recording, from 0
  std::uint32_t bytes = 0;    ///< of it that are done
  bool is_delivered = true;   ///< whether the last message before it reached the cloud

  /// "123:17"
  [[nodiscard]] std::string name() const;
};

/// How long a completion may take, until its job has ended.
inline constexpr double kCompletionLimitSeconds = 60;

/// Cuts spread over all operations since the cloud first knew of the job, each before, within or after its
/// operation; each gives a delivered and, where there was a message before, an undelivered case.
/// @param cuts  how many; fewer if there are not as many operations
[[nodiscard]] std::vector<CompletionCase> sample_completions(const Recording& recording,
                                                             const scenario::LabHistory& history,
                                                             std::size_t cuts, std::uint64_t seed);

struct PreparedCompletion {
  scenario::RunPlan plan;
  /// How a job may end: as in the recording, if the cut cannot have cost its image its only trial; else also
  /// FAILED or REJECTED, with a reason.
  std::set<std::string> may_end;
};

/// What a completion's jobs say, beside what its run found: each begins with "L1: ".
/// @param jobs  RunResult::jobs
[[nodiscard]] std::vector<std::string> wrong_ends(const nlohmann::json& jobs,
                                                  const std::set<std::string>& may_end);

/// Makes a run's folder as if the simulator had been killed at the cut, and the plan that goes on from there:
/// it ends when each job that the cloud knew of has ended on the device.
/// @param folder  exists
/// @returns kUsage if there is no such case: no such operation, or no snapshot before it; kEnvironment
[[nodiscard]] Result<PreparedCompletion> prepare_completion(const Recording& recording,
                                                            const scenario::LabHistory& history,
                                                            const CompletionCase& wanted,
                                                            const std::string& folder);

}  // namespace otasim::sweep
