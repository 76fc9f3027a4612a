// The Jobs service's device side over MQTT: JSON requests, accepted and rejected replies, notifications.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/job_faults.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/json_body.h"
#include "sim/cloud/publisher.h"
#include "sim/cloud/request_topic.h"

namespace otasim::cloud {

class JobsMqtt {
 public:
  JobsMqtt(JobsService& jobs, const Clock& clock, JobFaults& faults, Publisher& publisher);
  JobsMqtt(const JobsMqtt&) = delete;
  JobsMqtt& operator=(const JobsMqtt&) = delete;

  /// Answers on `<topic>/accepted` or `<topic>/rejected`.
  /// @returns "accepted", the error's name, or "silent" if a fault keeps the answer
  std::string_view handle(const ClientAddress& client, const std::string& topic, const ThingName& thing,
                          const JobsTopic& request, std::string_view payload);

 private:
  using Json = nlohmann::ordered_json;

  /// As call(), if the faults let it.
  [[nodiscard]] ServiceResult<Json> call_under(const JobStrike& strike, const ThingName& thing,
                                               const JobsTopic& request, const JsonBody& body);
  [[nodiscard]] JobStrike strike(const ThingName& thing, const JobsTopic& request, const JsonBody& body);
  [[nodiscard]] ServiceResult<Json> call(const ThingName& thing, const JobsTopic& request,
                                         const JsonBody& body);
  [[nodiscard]] ServiceResult<Json> get_pending(const ThingName& thing);
  [[nodiscard]] ServiceResult<Json> start_next(const ThingName& thing, const JsonBody& body);
  [[nodiscard]] ServiceResult<Json> describe(const ThingName& thing, const std::string& job,
                                             const JsonBody& body);
  [[nodiscard]] ServiceResult<Json> update(const ThingName& thing, const std::string& job,
                                           const JsonBody& body);
  /// How an execution's document is given.
  enum class Document { kNone, kWithPlaceholders, kWithUrls };
  [[nodiscard]] ServiceResult<Json> render(const JobExecution& execution, Document document);
  /// `execution`, or no key at all when nothing is left to do.
  [[nodiscard]] ServiceResult<Json> render_next(const std::optional<JobExecution>& next, Document document);
  [[nodiscard]] ServiceResult<Json> summaries(const ThingName& thing, ExecutionStatus status,
                                              std::size_t most);
  [[nodiscard]] Json summary(const JobExecution& execution) const;
  /// A time as messages have it.
  [[nodiscard]] std::int64_t stamp(std::int64_t epoch_seconds) const;

  /// A message's text.
  [[nodiscard]] std::string text_for(const ThingName& thing, Json message);
  void notify(const ThingName& thing);
  void notify_next(const ThingName& thing, const std::optional<JobExecution>& next);

  JobsService& jobs_;
  const Clock& clock_;
  JobFaults& faults_;
  Publisher& publisher_;
  Subscription subscription_;
};

}  // namespace otasim::cloud
