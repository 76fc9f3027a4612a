// The plan log: what the host armed while a device ran, in the place where the device met it.
//
// Faults are armed through a file that host and plugin map (fault_file.h), at any time. To the device that is
// input, and QEMU's own recording does not hold it. So a part that is recorded writes down each plan it takes
// over, and after how many questions it did; a part that is replayed takes the plans from there and never
// looks at what the fault file arms. A question is an operation, a request for entropy, or a counted read
// (FaultInjector::begin), so the same guest asks the same ones.
//
//   auto log = PlanLog::create(path);  log->append(questions, plan);            // recording
//   auto log = PlanLog::open(path);    while (auto plan = log->due(questions)) ...   // replaying
//
// A recorder that is killed tears the last entry, which is then none. What can go wrong: the file cannot be
// made or read, or is none of this version. A log that could not be written to its end is emptied: a replay
// that lacks a plan would be told as another device's doing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/flash/fault_file.h"

namespace otasim::flash_file {

class PlanLog {
 public:
  /// @returns kEnvironment if the file cannot be made
  [[nodiscard]] static Result<PlanLog> create(const std::string& path);
  /// @returns kEnvironment if the file cannot be read, or is no plan log of this version
  [[nodiscard]] static Result<PlanLog> open(const std::string& path);

  /// If it fails, the file is none any more.
  void append(std::uint64_t questions, const FaultPlan& plan);
  /// The next plan that was taken over after no more than so many questions, once.
  [[nodiscard]] std::optional<FaultPlan> due(std::uint64_t questions);
  /// The device starts over: due() begins anew.
  void rewind() { next_ = 0; }

 private:
  struct Entry {
    std::uint64_t questions = 0;
    FaultPlan plan;
  };

  PlanLog() = default;

  UniqueFd file_;
  bool failed_ = false;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

}  // namespace otasim::flash_file
