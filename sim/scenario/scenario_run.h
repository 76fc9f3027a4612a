// Plays one scenario once: sets its stage, does its steps, waits for what it waits for, and judges.
//
// The run is driven by the event log: a wait ends with an event, never with time alone; time only ends it in
// failure. When the steps are done, or one has failed, every device is cut and booted on its own until two
// boots in a row start the same image; then the oracle reads the flash, and what the scenario expects and the
// invariants (invariants.h) are judged. All child processes and temporary files are gone when play() returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/report/event_log.h"
#include "sim/scenario/checkpoint.h"
#include "sim/scenario/run_debugger.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

struct RunPlan {
  Scenario scenario;
  Cell cell;
  std::string folder;                       ///< of the run; exists
  std::vector<nlohmann::json> faults = {};  ///< armed beside the scenario's own
  /// To go on after `kill_simulator`: where the killed process had come, and the events it had seen. Faults
  /// that were armed are over.
  std::optional<Checkpoint> checkpoint = {};
  std::vector<nlohmann::json> earlier_events = {};
  RunDebugger* debugger = nullptr;  ///< has one of the devices; outlives the run
  std::string key_log_path = {};    ///< the file that gets the lab's TLS secrets; empty: they are not logged
  bool keep_recordings = false;     ///< of the devices, to be replayed (recordable.h says whether it can be)
  bool keep_snapshots = false;      ///< of the lab at each change of a job (lab_snapshots.h)
};

struct RunResult {
  /// What did not hold, each for people; empty: the run has passed.
  std::vector<std::string> failures;
  std::vector<std::string> warnings = {};  ///< what is missing from its folder
  std::int64_t wall_ms = 0;
  nlohmann::json jobs = nlohmann::json::array();     ///< each execution: job, device, status, reason, times
  nlohmann::json devices = nlohmann::json::array();  ///< each device: running, slot, standing, boots, times
  nlohmann::json images = nlohmann::json::object();  ///< each image of the scenario: bytes, version

  [[nodiscard]] bool passed() const { return failures.empty(); }
};

/// Whether it has a step that kills the simulator: then it is to be played in a process of its own, whose end
/// by SIGKILL with a checkpoint in the folder means that it goes on.
[[nodiscard]] bool kills_simulator(const Scenario& scenario);

/// Plays it. A scenario that fails is a result, not an error.
/// @returns kUsage        the scenario asks for something that cannot be made
///          kEnvironment  a tool, port or file is missing, or the broker ended by itself
///          kInterrupted  Ctrl-C or SIGTERM
[[nodiscard]] Result<RunResult> play(const RunPlan& plan, report::EventLog& log);

}  // namespace otasim::scenario
