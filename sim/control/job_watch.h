// Clients that watch a job: each hears its executions change, until the job is over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/service_error.h"
#include "sim/control/server.h"

namespace otasim::control {

/// An execution as the lab's commands tell of it.
[[nodiscard]] nlohmann::json describe_execution(const cloud::JobExecution& execution);
[[nodiscard]] nlohmann::json describe_counts(const cloud::JobProcessDetails& counts);
/// All executions of a job, in order of creation.
[[nodiscard]] cloud::ServiceResult<std::vector<cloud::JobExecution>> executions_of(cloud::Cloud& cloud,
                                                                                   const cloud::JobId& id);

class JobWatches {
 public:
  explicit JobWatches(cloud::Cloud& cloud) : cloud_(cloud) {}

  /// Sends the executions as they stand, each change, and at the job's end the result: its `status`,
  /// `counts`, and as `failed` the things whose last execution failed, was rejected or timed out.
  /// @returns kUsage for an unknown job
  [[nodiscard]] Result<void> add(const cloud::JobId& id, const std::shared_ptr<Reply>& reply);

  /// A job may have ended, or gone, without a change to an execution.
  void look_again();

 private:
  struct Watch;

  cloud::Cloud& cloud_;
  std::vector<std::weak_ptr<Watch>> watches_;
};

}  // namespace otasim::control
