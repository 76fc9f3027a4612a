// Where a job stands in its schedule: before its start, in a time for rolling out, between two of its
// maintenance windows, or past its end.
//
//   const SchedulePhase phase = phase_at(job.scheduling, now);
//   // look again at phase.until
//
// All times are epoch seconds, UTC. A window that is open when the job starts is used for the rest of it.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/cloud/job_config.h"

namespace otasim::cloud {

struct SchedulePhase {
  enum class Kind {
    kWaiting,  ///< for the start, or for the next window
    kOpen,     ///< the job may be rolled out
    kOver,     ///< the end has come
  };
  Kind kind = Kind::kOpen;
  /// When to look again; later than now. None: never.
  std::optional<std::int64_t> until = {};
};

[[nodiscard]] SchedulePhase phase_at(const SchedulingConfig& scheduling, std::int64_t now);

}  // namespace otasim::cloud
