// The configurations of jobs as requests bring them.
//
// Input: JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/job_config.h"
#include "sim/cloud/job_schedule.h"
#include "sim/cloud/rollout_rate.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim::cloud;
using otasim::testing::claim;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kNow = 1'700'000'000;

/// What is written is read again as what it was.
template <typename Config, typename FromJson>
void check_form(const Config& config, const FromJson& from_json) {
  if (config == Config{}) return;
  const auto again = from_json(to_json(config));
  claim(again && *again == config, "what is written is read as what it was");
}

void check_rollout(const RolloutConfig& rollout) {
  if (!check(rollout)) return;
  check_form(rollout, rollout_config_from_json);
  std::int64_t before = 0;
  for (const std::int64_t things : {0, 1, 7, 100, 5000, 1'000'000}) {
    const std::int64_t rate = rollout_rate(rollout, {.notified = things, .succeeded = things});
    claim(rate >= 1 && rate <= kMaxRolloutPerMinute, "a rate is one that AWS takes");
    claim(rate >= before, "a rate never falls");
    before = rate;
  }
}

void check_scheduling(const SchedulingConfig& scheduling) {
  if (!check(scheduling, kNow)) return;
  check_form(scheduling, scheduling_config_from_json);
  for (std::int64_t at = kNow; at < kNow + 100'000; at += 9'973) {
    const SchedulePhase phase = phase_at(scheduling, at);
    claim(!phase.until || *phase.until > at, "a phase ends later than now");
    claim((phase.kind == SchedulePhase::Kind::kOver) == (scheduling.end_time && at >= *scheduling.end_time),
          "a job is over from its end on");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = Json::parse(std::string_view(reinterpret_cast<const char*>(data), size), nullptr,
                                /*allow_exceptions=*/false);
  if (const auto rollout = rollout_config_from_json(json)) check_rollout(*rollout);
  if (const auto scheduling = scheduling_config_from_json(json)) check_scheduling(*scheduling);
  if (const auto abort = abort_config_from_json(json); abort && check(*abort)) {
    check_form(*abort, abort_config_from_json);
  }
  if (const auto retries = retry_config_from_json(json); retries && check(*retries)) {
    check_form(*retries, retry_config_from_json);
  }
  (void)ota_abort_config_from_json(json);
  return 0;
}
