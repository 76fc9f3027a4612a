#include "sim/cloud/job_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json.h"

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kQos = 1;
constexpr std::int64_t kMillisecondsPerSecond = 1000;

std::string_view operation_of(JobEvent event) {
  switch (event) {
    case JobEvent::kCompleted:
      return "completed";
    case JobEvent::kCancellationInProgress:
      return "cancellation_in_progress";
    case JobEvent::kCanceled:
      return "canceled";
    case JobEvent::kDeletionInProgress:
      return "deletion_in_progress";
    case JobEvent::kDeleted:
      return "deleted";
  }
  return "";
}

std::string upper(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

/// The operation that an execution's status is told as; empty for one that is not told.
std::string operation_of(ExecutionStatus status) {
  if (!is_terminal(status)) return {};
  std::string result{to_string(status)};
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

JobEvents::JobEvents(JobsService& jobs, EventConfigurations& configurations, const Clock& clock,
                     UuidSource uuid, TargetArn arn_of, Publisher& publisher)
    : configurations_(configurations),
      clock_(clock),
      uuid_(std::move(uuid)),
      arn_of_(std::move(arn_of)),
      publisher_(publisher),
      subscription_(jobs.listen(
          {.on_job_event = [this](const JobNotice& notice) { tell(notice); },
           .on_execution_change =
               [this](const JobExecution& execution) {
                 tell(execution, operation_of(execution.state.status));
               },
           .on_execution_deleted = [this](const JobExecution& execution) { tell(execution, "deleted"); }})) {}

void JobEvents::tell(const JobNotice& notice) {
  if (!configurations_.enabled(EventType::kJob)) return;
  const Job& job = notice.job;
  const std::string_view operation = operation_of(notice.event);
  Json json{{"eventType", "JOB"},
            {"eventId", uuid_()},
            {"timestamp", clock_.now()},
            {"operation", operation},
            {"jobId", job.id.str()},
            {"status", upper(operation)},
            {"targetSelection", to_string(job.target_selection)}};
  for (const JobTarget& target : notice.targets) json["targets"].push_back(arn_of_(target));
  if (!job.description.empty()) json["description"] = job.description;
  if (!job.comment.empty()) json["comment"] = job.comment;
  const bool completed = notice.event == JobEvent::kCompleted && job.completed_at;
  if (completed) json["completedAt"] = *job.completed_at * kMillisecondsPerSecond;
  json["createdAt"] = job.created_at * kMillisecondsPerSecond;
  json["lastUpdatedAt"] = job.last_updated_at * kMillisecondsPerSecond;
  if (completed) {
    json["jobProcessDetails"] = {{"numberOfCanceledThings", notice.counts.canceled},
                                 {"numberOfRejectedThings", notice.counts.rejected},
                                 {"numberOfFailedThings", notice.counts.failed},
                                 {"numberOfRemovedThings", notice.counts.removed},
                                 {"numberOfSucceededThings", notice.counts.succeeded}};
  }
  publisher_.publish(fmt::format("$aws/events/job/{}/{}", job.id.str(), operation), to_text(json), kQos);
}

void JobEvents::tell(const JobExecution& execution, std::string_view operation) {
  if (operation.empty() || !configurations_.enabled(EventType::kJobExecution)) return;
  Json json{{"eventType", "JOB_EXECUTION"},
            {"eventId", uuid_()},
            {"timestamp", clock_.now()},
            {"operation", operation},
            {"jobId", execution.job_id.str()},
            {"thingArn", arn_of_(execution.thing)},
            {"status", to_string(execution.state.status)}};
  if (!execution.state.details.empty()) json["statusDetails"] = execution.state.details;
  publisher_.publish(fmt::format("$aws/events/jobExecution/{}/{}", execution.job_id.str(), operation),
                     to_text(json), kQos);
}

}  // namespace otasim::cloud
