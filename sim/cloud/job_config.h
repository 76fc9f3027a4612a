// How a job proceeds: how fast it is rolled out, when it is given up, when it runs, how often it is tried.
//
//   if (auto valid = check(rollout); !valid) return valid;     // AWS's ranges
//   job["jobExecutionsRolloutConfig"] = to_json(rollout);      // AWS's member names, as they are stored, too
//   auto again = rollout_config_from_json(json);
//
// Numbers with decimals are whole numbers of the smallest part that AWS supports: a factor in tenths, a
// percentage in hundredths. Source: the API reference's data types of the same names.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr std::int64_t kMaxRolloutPerMinute = 1000;  ///< also where nothing else is said
inline constexpr std::int64_t kMinIncrementTenths = 11;
inline constexpr std::int64_t kMaxIncrementTenths = 50;
inline constexpr std::int64_t kMaxThresholdHundredths = 10'000;
inline constexpr std::int64_t kMaxRetries = 10;
inline constexpr std::int64_t kMaxWindowMinutes = 1430;
inline constexpr std::size_t kMaxAbortCriteria = 4;  ///< one of each failure type
inline constexpr std::size_t kMaxMaintenanceWindows = 16;

/// ExponentialRolloutRate: the rate grows by `increment_tenths` / 10 each time one more `notified` things
/// have been notified, or `succeeded` more have succeeded, whichever is given; with both, whichever is first.
struct ExponentialRate {
  std::int64_t base_per_minute = 1;
  std::int64_t increment_tenths = kMinIncrementTenths;
  std::optional<std::int64_t> notified_things = {};
  std::optional<std::int64_t> succeeded_things = {};
  bool operator==(const ExponentialRate&) const = default;
};

/// JobExecutionsRolloutConfig. An exponential rate never exceeds `maximum_per_minute`.
struct RolloutConfig {
  std::optional<std::int64_t> maximum_per_minute = {};
  std::optional<ExponentialRate> exponential = {};
  bool operator==(const RolloutConfig&) const = default;
};

enum class AbortFailure { kFailed, kRejected, kTimedOut, kAll };
[[nodiscard]] std::string_view to_string(AbortFailure failure);
[[nodiscard]] std::optional<AbortFailure> abort_failure(std::string_view name);

/// AbortCriteria; the action is always CANCEL.
struct AbortCriterion {
  AbortFailure failure = AbortFailure::kAll;
  std::int64_t threshold_hundredths = kMaxThresholdHundredths;  ///< of a per cent of what has ended
  std::int64_t min_executed_things = 1;
  bool operator==(const AbortCriterion&) const = default;
};

/// AbortConfig; no criterion: never.
struct AbortConfig {
  std::vector<AbortCriterion> criteria = {};
  bool operator==(const AbortConfig&) const = default;
};

/// How often an execution that ended so is queued again (jobExecutionsRetryConfig). A criterion for any
/// failure stands alone, as with AWS; together at most kMaxRetries.
struct RetryConfig {
  std::int64_t failed = 0;     ///< after FAILED
  std::int64_t timed_out = 0;  ///< after TIMED_OUT
  std::int64_t any = 0;        ///< after either (ALL)
  bool operator==(const RetryConfig&) const = default;
};

enum class EndBehavior { kStopRollout, kCancel, kForceCancel };
[[nodiscard]] std::string_view to_string(EndBehavior behavior);
[[nodiscard]] std::optional<EndBehavior> end_behavior(std::string_view name);

/// A recurring time in which a job may be rolled out.
struct MaintenanceWindow {
  std::string start_time = {};  ///< AWS cron expression (aws_cron.h), UTC
  std::int64_t duration_minutes = 1;
  bool operator==(const MaintenanceWindow&) const = default;
};

/// SchedulingConfig; nothing set: the job runs from now on, without an end.
struct SchedulingConfig {
  std::optional<std::int64_t> start_time = {};  ///< epoch seconds; AWS's text form is utc_time.h's
  std::optional<std::int64_t> end_time = {};
  std::optional<EndBehavior> end_behavior = {};  ///< none with an end: STOP_ROLLOUT
  std::vector<MaintenanceWindow> maintenance_windows = {};
  bool operator==(const SchedulingConfig&) const = default;
  [[nodiscard]] bool empty() const { return *this == SchedulingConfig{}; }
};

/// Each @returns kInvalidRequest for what is out of AWS's ranges, or contradicts itself
[[nodiscard]] ServiceResult<void> check(const RolloutConfig& rollout);
[[nodiscard]] ServiceResult<void> check(const AbortConfig& abort);
[[nodiscard]] ServiceResult<void> check(const RetryConfig& retries);
/// A start lies 30 minutes to a year ahead, an end 30 minutes after the start (or now) to two years after it.
[[nodiscard]] ServiceResult<void> check(const SchedulingConfig& scheduling, std::int64_t now);

// AWS's member names: what requests and answers hold; empty objects for empty configurations.

[[nodiscard]] nlohmann::ordered_json to_json(const RolloutConfig& rollout);
[[nodiscard]] nlohmann::ordered_json to_json(const AbortConfig& abort);
[[nodiscard]] nlohmann::ordered_json to_json(const RetryConfig& retries);
[[nodiscard]] nlohmann::ordered_json to_json(const SchedulingConfig& scheduling);
/// Each checks the form alone (types, names, decimals), not the ranges, and takes what is no object, or
/// unknown members, for kInvalidRequest.
[[nodiscard]] ServiceResult<RolloutConfig> rollout_config_from_json(const nlohmann::ordered_json& json);
[[nodiscard]] ServiceResult<AbortConfig> abort_config_from_json(const nlohmann::ordered_json& json);
[[nodiscard]] ServiceResult<RetryConfig> retry_config_from_json(const nlohmann::ordered_json& json);
[[nodiscard]] ServiceResult<SchedulingConfig> scheduling_config_from_json(const nlohmann::ordered_json& json);
/// As AwsJobAbortConfig of OTA updates, whose list is named `abortCriteriaList`.
[[nodiscard]] ServiceResult<AbortConfig> ota_abort_config_from_json(const nlohmann::ordered_json& json);

}  // namespace otasim::cloud
