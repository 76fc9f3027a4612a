#include "sim/control/job_watch.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "sim/control/all_pages.h"

namespace otasim::control {
namespace {

bool is_failure(cloud::ExecutionStatus status) {
  using enum cloud::ExecutionStatus;
  return status == kFailed || status == kRejected || status == kTimedOut;
}

}  // namespace

nlohmann::json describe_execution(const cloud::JobExecution& execution) {
  return {{"thing", execution.thing.str()},
          {"number", execution.execution_number},
          {"status", to_string(execution.state.status)},
          {"details", execution.state.details},
          {"version", execution.state.version_number},
          {"queued_at", execution.queued_at},
          {"started_at", execution.started_at ? nlohmann::json(*execution.started_at) : nlohmann::json()},
          {"last_updated_at", execution.last_updated_at}};
}

nlohmann::json describe_counts(const cloud::JobProcessDetails& counts) {
  return {{"QUEUED", counts.queued},   {"IN_PROGRESS", counts.in_progress}, {"SUCCEEDED", counts.succeeded},
          {"FAILED", counts.failed},   {"REJECTED", counts.rejected},       {"TIMED_OUT", counts.timed_out},
          {"REMOVED", counts.removed}, {"CANCELED", counts.canceled}};
}

cloud::ServiceResult<std::vector<cloud::JobExecution>> executions_of(cloud::Cloud& cloud,
                                                                     const cloud::JobId& id) {
  return all_pages<cloud::JobExecution>([&](const cloud::PageRequest& page) {
    return cloud.jobs().list_executions({.filter = {.job = id}, .page = page});
  });
}

/// One client. Held by the subscription's handler and by the reply, both of which end with the watch.
struct JobWatches::Watch {
  cloud::Cloud& cloud;
  cloud::JobId id;
  std::shared_ptr<Reply> reply;
  cloud::Subscription changes = {};

  void end_if_over() {
    if (!reply) return;
    const auto job = cloud.jobs().describe_job(id);
    if (!job) return end([&](Reply& to) { to.error(job.error().to_error("the job has gone")); });
    if (!cloud::is_over(job->status)) return;
    const auto counts = cloud.jobs().process_details(id);
    const auto executions = executions_of(cloud, id);
    if (!counts || !executions) {
      const auto& error = counts ? executions.error() : counts.error();
      return end([&](Reply& to) { to.error(error.to_error("cannot read the job's executions")); });
    }
    std::map<std::string, cloud::ExecutionStatus> last;
    for (const auto& execution : *executions) last[execution.thing.str()] = execution.state.status;
    std::vector<std::string> failed;
    for (const auto& [thing, status] : last) {
      if (is_failure(status)) failed.push_back(thing);
    }
    end([&](Reply& to) {
      to.result({{"id", id.str()},
                 {"status", to_string(job->status)},
                 {"counts", describe_counts(*counts)},
                 {"failed", failed}});
    });
  }

  template <typename Say>
  void end(const Say& say) {
    changes.reset();
    const auto to = std::exchange(reply, nullptr);
    say(*to);
  }
};

Result<void> JobWatches::add(const cloud::JobId& id, const std::shared_ptr<Reply>& reply) {
  const auto executions = executions_of(cloud_, id);
  if (!executions) return tl::unexpected(executions.error().to_error("cannot read the job's executions"));
  for (const auto& execution : *executions) reply->output(describe_execution(execution));
  std::erase_if(watches_, [](const auto& watch) { return watch.expired(); });
  const auto watch = std::make_shared<Watch>(Watch{cloud_, id, reply});
  watches_.push_back(watch);
  reply->on_gone([watch] {
    watch->changes.reset();
    watch->reply.reset();
  });
  watch->changes =
      cloud_.on_execution_change([weak = std::weak_ptr(watch)](const cloud::JobExecution& execution) {
        const auto self = weak.lock();
        if (!self || !self->reply || execution.job_id != self->id) return;
        self->reply->output(describe_execution(execution));
        self->end_if_over();
      });
  watch->end_if_over();
  return {};
}

void JobWatches::look_again() {
  const auto now = watches_;
  for (const auto& weak : now) {
    if (const auto watch = weak.lock()) watch->end_if_over();
  }
}

}  // namespace otasim::control
