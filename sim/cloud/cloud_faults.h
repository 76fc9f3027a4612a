// What may go wrong on purpose at the cloud's front ends: each asks its part about every operation.
#pragma once

#include "sim/cloud/http_faults.h"
#include "sim/cloud/job_faults.h"
#include "sim/cloud/stream_faults.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

struct CloudFaults {
  explicit CloudFaults(report::EventLog& log) : http(log), streams(log), jobs(log) {}

  HttpFaults http;
  StreamFaults streams;
  JobFaults jobs;
};

}  // namespace otasim::cloud
