// Messages about jobs and their executions, for whoever watches a fleet through the broker.
//
//   const JobEvents events(cloud.jobs(), cloud.event_configurations(), cloud.clock(), uuid, arns, publisher);
//
// Topics:
//   $aws/events/job/JOB/           completed, canceled, deleted, cancellation_in_progress,
//                                  deletion_in_progress
//   $aws/events/jobExecution/JOB/  succeeded, failed, rejected, canceled, timed_out, removed, deleted
//
// Published with QoS 1 once a change is kept, in order: a job's cancellation begins, its executions end, and
// then it is canceled. Nothing is published until JOB, or JOB_EXECUTION, is enabled (event_configurations.h).
// A job's event tells the operation as its status; an execution's event tells the status that it had, also
// when it is deleted. Source: AWS IoT developer guide, "Jobs events"; its examples' members are told.
#pragma once

#include <functional>
#include <string>

#include "sim/cloud/clock.h"
#include "sim/cloud/event_configurations.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/publisher.h"
#include "sim/cloud/random_id.h"

namespace otasim::cloud {

/// Names a job's target as AWS does: `arn:aws:iot:...:thing/lamp`.
using TargetArn = std::function<std::string(const JobTarget& target)>;

class JobEvents {
 public:
  JobEvents(JobsService& jobs, EventConfigurations& configurations, const Clock& clock, UuidSource uuid,
            TargetArn arn_of, Publisher& publisher);
  JobEvents(const JobEvents&) = delete;
  JobEvents& operator=(const JobEvents&) = delete;

 private:
  void tell(const JobNotice& notice);
  void tell(const JobExecution& execution, std::string_view operation);

  EventConfigurations& configurations_;
  const Clock& clock_;
  UuidSource uuid_;
  TargetArn arn_of_;
  Publisher& publisher_;
  Subscription subscription_;
};

}  // namespace otasim::cloud
