#include "sim/cloud/job_execution.h"

#include <array>
#include <utility>

namespace otasim::cloud {

namespace {

constexpr std::array<std::pair<ExecutionStatus, std::string_view>, 8> kNames{{
    {ExecutionStatus::kQueued, "QUEUED"},
    {ExecutionStatus::kInProgress, "IN_PROGRESS"},
    {ExecutionStatus::kSucceeded, "SUCCEEDED"},
    {ExecutionStatus::kFailed, "FAILED"},
    {ExecutionStatus::kTimedOut, "TIMED_OUT"},
    {ExecutionStatus::kRejected, "REJECTED"},
    {ExecutionStatus::kRemoved, "REMOVED"},
    {ExecutionStatus::kCanceled, "CANCELED"},
}};

}  // namespace

std::string_view to_string(ExecutionStatus status) {
  for (const auto& [value, name] : kNames) {
    if (value == status) return name;
  }
  return "";
}

std::optional<ExecutionStatus> execution_status(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

bool is_terminal(ExecutionStatus status) {
  return status != ExecutionStatus::kQueued && status != ExecutionStatus::kInProgress;
}

}  // namespace otasim::cloud
