// A job's id as text, for the console.
#pragma once

#include <string_view>

#include "agent/include/ota.h"

namespace app {

/// Without the terminator that some of the agent's events count as part of it.
[[nodiscard]] inline std::string_view job_id_of(const OtaJobDocument_t& job) {
  if (job.pJobId == nullptr) return "without an id";
  const std::string_view id(reinterpret_cast<const char*>(job.pJobId), job.jobIdLength);
  const std::size_t end = id.find('\0');
  return end == std::string_view::npos ? id : id.substr(0, end);
}

}  // namespace app
