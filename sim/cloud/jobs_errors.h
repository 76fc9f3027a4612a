// Refusals that the jobs service's parts share.
#pragma once

#include <fmt/format.h>

#include <string>

#include "sim/cloud/job_execution.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

/// A refusal that tells the caller how the execution stands.
[[nodiscard]] inline tl::unexpected<ServiceError> refuse_with_state(ErrorCode code, std::string message,
                                                                    const JobExecution& execution) {
  ServiceError error(code, std::move(message));
  error.execution_state = execution.state;
  return tl::unexpected(std::move(error));
}

[[nodiscard]] inline tl::unexpected<ServiceError> no_job(const JobId& id) {
  return refuse(ErrorCode::kResourceNotFound, fmt::format("Job {} does not exist.", id.str()));
}

[[nodiscard]] inline tl::unexpected<ServiceError> no_execution(const JobId& id, const ThingName& thing) {
  return refuse(ErrorCode::kResourceNotFound,
                fmt::format("Job {} has no such execution for thing {}.", id.str(), thing.str()));
}

}  // namespace otasim::cloud
