#include "sim/cloud/job.h"

namespace otasim::cloud {

std::string_view to_string(TargetSelection selection) {
  return selection == TargetSelection::kSnapshot ? "SNAPSHOT" : "CONTINUOUS";
}

std::optional<TargetSelection> target_selection(std::string_view name) {
  for (const TargetSelection selection : {TargetSelection::kSnapshot, TargetSelection::kContinuous}) {
    if (to_string(selection) == name) return selection;
  }
  return std::nullopt;
}

std::string_view to_string(JobStatus status) {
  switch (status) {
    case JobStatus::kScheduled:
      return "SCHEDULED";
    case JobStatus::kInProgress:
      return "IN_PROGRESS";
    case JobStatus::kCompleted:
      return "COMPLETED";
    case JobStatus::kCanceled:
      return "CANCELED";
    case JobStatus::kDeletionInProgress:
      return "DELETION_IN_PROGRESS";
  }
  return "";
}

std::optional<JobStatus> job_status(std::string_view name) {
  for (const JobStatus status : {JobStatus::kScheduled, JobStatus::kInProgress, JobStatus::kCompleted,
                                 JobStatus::kCanceled, JobStatus::kDeletionInProgress}) {
    if (to_string(status) == name) return status;
  }
  return std::nullopt;
}

}  // namespace otasim::cloud
