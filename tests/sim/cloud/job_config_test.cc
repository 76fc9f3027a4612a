#include "sim/cloud/job_config.h"

#include <gmock/gmock.h>

#include "sim/base/json.h"

namespace otasim::cloud {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

TEST(JobConfigJson, WhatIsWrittenIsRead) {
  const RolloutConfig rollout{.maximum_per_minute = 7, .exponential = ExponentialRate{3, 15, 10, 20}};
  EXPECT_EQ(rollout_config_from_json(to_json(rollout)).value(), rollout);
  const AbortConfig abort{{{AbortFailure::kTimedOut, 10'99, 3}, {AbortFailure::kAll, 20'00, 5}}};
  EXPECT_EQ(abort_config_from_json(to_json(abort)).value(), abort);
  const RetryConfig retries{.failed = 2, .timed_out = 3};
  EXPECT_EQ(retry_config_from_json(to_json(retries)).value(), retries);
  const SchedulingConfig scheduling{.start_time = 1'700'003'600,
                                    .end_time = 1'700'090'000,
                                    .end_behavior = EndBehavior::kForceCancel,
                                    .maintenance_windows = {{"cron(0 2 * * ? *)", 60}}};
  EXPECT_EQ(scheduling_config_from_json(to_json(scheduling)).value(), scheduling);
}

TEST(JobConfigJson, HasAwsNames) {
  EXPECT_EQ(to_json(RolloutConfig{.exponential = ExponentialRate{3, 15, 10, {}}}).dump(),
            R"({"exponentialRate":{"baseRatePerMinute":3,"incrementFactor":1.5,)"
            R"("rateIncreaseCriteria":{"numberOfNotifiedThings":10}}})");
  EXPECT_EQ(to_json(AbortConfig{{{AbortFailure::kFailed, 20'00, 5}}}).dump(),
            R"({"criteriaList":[{"failureType":"FAILED","action":"CANCEL","thresholdPercentage":20,)"
            R"("minNumberOfExecutedThings":5}]})");
}

TEST(JobConfigJson, RefusesWhatHasAnotherForm) {
  const auto rollout = [](const char* text) {
    const auto read = rollout_config_from_json(Json::parse(text));
    return read ? std::string{} : read.error().message;
  };
  EXPECT_THAT(rollout("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(rollout(R"({"maximumPerMinute":"5"})"), HasSubstr("maximumPerMinute"));
  EXPECT_THAT(rollout(R"({"maximumPerMinute":18446744073709551615})"), HasSubstr("maximumPerMinute"));
  EXPECT_THAT(rollout(R"({"maximum":5})"), HasSubstr("no member 'maximum'"));
  EXPECT_THAT(rollout(R"({"exponentialRate":{"baseRatePerMinute":1}})"), HasSubstr("incrementFactor"));
  EXPECT_THAT(rollout(R"({"exponentialRate":{"baseRatePerMinute":1,"incrementFactor":1.55,)"
                      R"("rateIncreaseCriteria":{}}})"),
              HasSubstr("1 digits"));
  EXPECT_THAT(rollout(R"({"exponentialRate":{"baseRatePerMinute":1,"incrementFactor":1e300,)"
                      R"("rateIncreaseCriteria":{}}})"),
              HasSubstr("incrementFactor"));
  EXPECT_FALSE(abort_config_from_json(Json::parse(R"({"criteriaList":[]})")));
  EXPECT_FALSE(abort_config_from_json(Json::parse(R"({"criteriaList":[{"failureType":"FAILED","action":"STOP",
      "thresholdPercentage":1,"minNumberOfExecutedThings":1}]})")));
  EXPECT_FALSE(abort_config_from_json(Json::parse(R"({"criteriaList":[{"failureType":"FAILED",
      "action":"CANCEL","thresholdPercentage":1.005,"minNumberOfExecutedThings":1}]})")));
  EXPECT_FALSE(retry_config_from_json(Json::parse(R"({"criteriaList":[{"failureType":"REJECTED",
      "numberOfRetries":1}]})")));
  EXPECT_FALSE(scheduling_config_from_json(Json::parse(R"({"startTime":"soon"})")));
  EXPECT_FALSE(scheduling_config_from_json(Json::parse(R"({"endBehavior":"NOTHING"})")));
}

TEST(JobConfig, KeepsAwsRanges) {
  EXPECT_FALSE(check(RolloutConfig{.exponential = ExponentialRate{0, 15, 1, {}}}));
  EXPECT_FALSE(check(RolloutConfig{.exponential = ExponentialRate{1001, 15, 1, {}}}));
  EXPECT_FALSE(check(RolloutConfig{.exponential = ExponentialRate{1, 10, 1, {}}}));
  EXPECT_FALSE(check(RolloutConfig{.exponential = ExponentialRate{1, 51, 1, {}}}));
  EXPECT_FALSE(check(RolloutConfig{.exponential = ExponentialRate{1, 11, {}, {}}}));
  EXPECT_FALSE(check(RolloutConfig{.exponential = ExponentialRate{1, 11, 0, {}}}));
  EXPECT_TRUE(
      check(RolloutConfig{.maximum_per_minute = 1000, .exponential = ExponentialRate{1000, 50, 1, 1}}));
  EXPECT_FALSE(check(AbortConfig{{{AbortFailure::kAll, 0, 1}}}));
  EXPECT_FALSE(check(AbortConfig{{{AbortFailure::kAll, 100'01, 1}}}));
  EXPECT_FALSE(check(AbortConfig{{{AbortFailure::kAll, 100'00, 0}}}));
  EXPECT_TRUE(check(AbortConfig{{{AbortFailure::kAll, 100'00, 1}}}));
}

TEST(JobConfig, AWindowThatNeverOpensIsRefused) {
  constexpr std::int64_t kNow = 1'700'000'000;  // 2023-11-14T22:13:20Z
  const auto refused = [](const char* cron, std::optional<std::int64_t> start = {}) {
    const auto checked =
        check(SchedulingConfig{.start_time = start, .maintenance_windows = {{cron, 60}}}, kNow);
    return checked ? std::string{} : checked.error().message;
  };
  EXPECT_THAT(refused("cron(0 0 31 2 ? *)"), HasSubstr("never opens"));
  EXPECT_THAT(refused("cron(0 0 29 2 ? 2025-2027)"), HasSubstr("never opens"));
  EXPECT_THAT(refused("cron(0 0 * * ? 2022)"), HasSubstr("never opens")) << "any more";
  EXPECT_THAT(refused("cron(0 0 15 11 ? 2023)", kNow + 3 * 86'400), HasSubstr("never opens"))
      << "after the start";
  EXPECT_EQ(refused("cron(0 0 29 2 ? 2025-2028)"), "");
  EXPECT_EQ(refused("cron(0 22 14 11 ? 2023)"), "") << "it is open";
  EXPECT_EQ(refused("cron(0 0 15 11 ? 2023)"), "");
}

}  // namespace
}  // namespace otasim::cloud
