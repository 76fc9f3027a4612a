// What the jobs service does for the registry: a thing's groups change, or the thing goes.
#include "sim/cloud/jobs_service.h"

namespace otasim::cloud {

ServiceResult<void> JobsService::retarget(const ThingName& thing,
                                          const std::function<ServiceResult<void>()>& make_change) {
  return change([&]() -> ServiceResult<void> {
    const auto before = jobs_.continuous_jobs_of(thing);
    if (!before) return tl::unexpected(before.error());
    if (auto made = make_change(); !made) return made;
    const auto after = jobs_.continuous_jobs_of(thing);
    if (!after) return tl::unexpected(after.error());
    for (const JobId& id : *before) {
      if (after->contains(id)) continue;
      if (const auto removed = rollout_.remove(id, thing); !removed) return tl::unexpected(removed.error());
      auto open = executions_.open_of(id, thing);
      if (!open) return tl::unexpected(open.error());
      if (!*open) continue;
      if (auto removed = end(**open, ExecutionStatus::kRemoved); !removed) return removed;
    }
    for (const JobId& id : *after) {
      if (before->contains(id)) continue;
      if (auto targeted = retarget_one(id, thing); !targeted) return targeted;
    }
    return {};
  });
}

/// A thing has become a target of a continuous job.
ServiceResult<void> JobsService::retarget_one(const JobId& id, const ThingName& thing) {
  auto job = describe_job(id);
  if (!job) return tl::unexpected(job.error());
  const auto open = executions_.open_of(id, thing);
  if (!open) return tl::unexpected(open.error());
  if (*open || job->progress.stopped) return {};
  if (const auto planned = rollout_.plan(id, thing, 0); !planned) return tl::unexpected(planned.error());
  return advance(*job);
}

ServiceResult<void> JobsService::remove_executions_of(const ThingName& thing) {
  return change([&]() -> ServiceResult<void> {
    auto open = executions_.open_of_thing(thing);
    if (!open) return tl::unexpected(open.error());
    for (JobExecution& execution : *open) {
      if (auto removed = end(execution, ExecutionStatus::kRemoved); !removed) return removed;
    }
    const auto unplanned = rollout_.remove_all_of(thing);
    if (!unplanned) return tl::unexpected(unplanned.error());
    for (const JobId& id : *unplanned) {
      auto job = describe_job(id);
      if (!job) return tl::unexpected(job.error());
      if (auto done = complete_if_done(*job); !done) return done;
    }
    return {};
  });
}

}  // namespace otasim::cloud
