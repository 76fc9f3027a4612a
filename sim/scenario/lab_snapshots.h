// The lab as it stood at each change of a job, kept beside a recorded run: what a sweep goes on from when a
// cut update is to be completed (sim/sweep/completion.h).
//
//   auto snapshots = LabSnapshots::begin(run_folder);   // `RUN/snapshots/`
//   (*snapshots)->take(stage, event);                   // each cloud.job_execution, as it is emitted
//   (*snapshots)->finish(stage);                        // the lab's other files, the images, and
//   snapshots.json
//
// A snapshot is the cloud's store, copied by SQLite itself, with the number of the event and of the last
// operation on the first device's flash. What else a lab has - identities, objects - only grows, and is kept
// once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

class Stage;

/// What snapshots.json says.
struct LabSnapshot {
  std::string file;             ///< the store, in `snapshots/`
  std::uint64_t event = 0;      ///< number of the event that it was taken at
  std::uint32_t operation = 0;  ///< sequence number of the last operation before
  std::string job;
  std::string status;
};

struct LabHistory {
  static constexpr const char* kFolder = "snapshots";

  std::vector<LabSnapshot> snapshots;
  std::map<std::string, std::string> updates;  ///< job id to image name
  nlohmann::json devices;                      ///< as the scenario had them
  std::vector<std::string> images;             ///< names; NAME.img stands in the folder

  /// @param run  folder of the run. @returns kUsage if it has no snapshots, or they cannot be read
  [[nodiscard]] static Result<LabHistory> load(const std::string& run);
};

class LabSnapshots {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LabSnapshots>> begin(const std::string& run);

  /// To be called on the lab's thread, from the event log's listener, for each change of a job.
  void take(Stage& stage, const nlohmann::json& event);
  /// @returns kEnvironment if that, or an earlier snapshot, could not be written
  [[nodiscard]] Result<void> finish(Stage& stage, const Scenario& scenario);

 private:
  explicit LabSnapshots(std::string folder) : folder_(std::move(folder)) {}
  [[nodiscard]] Result<void> copy_lab(const Stage& stage) const;

  std::string folder_;
  LabHistory history_;
  Result<void> taken_ = {};  ///< the first thing that went wrong
};

}  // namespace otasim::scenario
