#include "sim/cloud/job_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/aws_cron.h"

namespace otasim::cloud {

namespace {

constexpr std::int64_t kMinutes = 60;
constexpr std::int64_t kDays = 24 * 60 * kMinutes;
/// From now to a job's start, and from its start to its end.
constexpr std::int64_t kLeastLead = 30 * kMinutes;
constexpr std::int64_t kLongestLead = 366 * kDays;
constexpr std::int64_t kLongestRun = 2 * 366 * kDays;
/// Of any count of things; AWS names no limit.
constexpr std::int64_t kMaxThings = 1'000'000'000;

ServiceResult<void> in_range(std::string_view what, std::int64_t value, std::int64_t least,
                             std::int64_t most) {
  if (value >= least && value <= most) return {};
  return refuse(ErrorCode::kInvalidRequest, fmt::format("{} must be {} to {}.", what, least, most));
}

tl::unexpected<ServiceError> invalid(std::string message) {
  return refuse(ErrorCode::kInvalidRequest, std::move(message));
}

ServiceResult<void> check_exponential(const ExponentialRate& rate) {
  if (auto valid = in_range("baseRatePerMinute", rate.base_per_minute, 1, kMaxRolloutPerMinute); !valid) {
    return valid;
  }
  if (rate.increment_tenths < kMinIncrementTenths || rate.increment_tenths > kMaxIncrementTenths) {
    return invalid("incrementFactor must be 1.1 to 5.");
  }
  if (!rate.notified_things && !rate.succeeded_things) {
    return invalid("rateIncreaseCriteria needs numberOfNotifiedThings or numberOfSucceededThings.");
  }
  if (auto valid = in_range("numberOfNotifiedThings", rate.notified_things.value_or(1), 1, kMaxThings);
      !valid) {
    return valid;
  }
  return in_range("numberOfSucceededThings", rate.succeeded_things.value_or(1), 1, kMaxThings);
}

/// @param from  when the job may start
ServiceResult<void> check_windows(const std::vector<MaintenanceWindow>& windows, std::int64_t from) {
  if (windows.size() > kMaxMaintenanceWindows) {
    return invalid(fmt::format("A job may have {} maintenance windows.", kMaxMaintenanceWindows));
  }
  for (const MaintenanceWindow& window : windows) {
    const auto cron = AwsCron::parse(window.start_time);
    if (!cron) {
      return invalid("A maintenance window's startTime must be a cron expression.");
    }
    if (auto valid = in_range("durationInMinutes", window.duration_minutes, 1, kMaxWindowMinutes); !valid) {
      return valid;
    }
    if (!cron->next_at_or_after(from - window.duration_minutes * kMinutes + 1)) {
      return invalid(fmt::format("The maintenance window '{}' never opens.", window.start_time));
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(AbortFailure failure) {
  switch (failure) {
    case AbortFailure::kFailed:
      return "FAILED";
    case AbortFailure::kRejected:
      return "REJECTED";
    case AbortFailure::kTimedOut:
      return "TIMED_OUT";
    case AbortFailure::kAll:
      return "ALL";
  }
  return "";
}

std::optional<AbortFailure> abort_failure(std::string_view name) {
  for (const AbortFailure failure :
       {AbortFailure::kFailed, AbortFailure::kRejected, AbortFailure::kTimedOut, AbortFailure::kAll}) {
    if (to_string(failure) == name) return failure;
  }
  return std::nullopt;
}

std::string_view to_string(EndBehavior behavior) {
  switch (behavior) {
    case EndBehavior::kStopRollout:
      return "STOP_ROLLOUT";
    case EndBehavior::kCancel:
      return "CANCEL";
    case EndBehavior::kForceCancel:
      return "FORCE_CANCEL";
  }
  return "";
}

std::optional<EndBehavior> end_behavior(std::string_view name) {
  for (const EndBehavior behavior :
       {EndBehavior::kStopRollout, EndBehavior::kCancel, EndBehavior::kForceCancel}) {
    if (to_string(behavior) == name) return behavior;
  }
  return std::nullopt;
}

ServiceResult<void> check(const RolloutConfig& rollout) {
  if (auto valid = in_range("maximumPerMinute", rollout.maximum_per_minute.value_or(kMaxRolloutPerMinute), 1,
                            kMaxRolloutPerMinute);
      !valid) {
    return valid;
  }
  return rollout.exponential ? check_exponential(*rollout.exponential) : ServiceResult<void>{};
}

ServiceResult<void> check(const AbortConfig& abort) {
  if (abort.criteria.size() > kMaxAbortCriteria) {
    return invalid(fmt::format("A job may have {} abort criteria.", kMaxAbortCriteria));
  }
  for (const AbortCriterion& criterion : abort.criteria) {
    if (criterion.threshold_hundredths < 1 || criterion.threshold_hundredths > kMaxThresholdHundredths) {
      return invalid("thresholdPercentage must be more than 0 and at most 100.");
    }
    if (auto valid = in_range("minNumberOfExecutedThings", criterion.min_executed_things, 1, kMaxThings);
        !valid) {
      return valid;
    }
  }
  return {};
}

ServiceResult<void> check(const RetryConfig& retries) {
  for (const std::int64_t number : {retries.failed, retries.timed_out, retries.any}) {
    if (auto valid = in_range("numberOfRetries", number, 0, kMaxRetries); !valid) return valid;
  }
  if (retries.any > 0 && (retries.failed > 0 || retries.timed_out > 0)) {
    return invalid("Retries after ALL failures stand alone.");
  }
  if (retries.failed + retries.timed_out > kMaxRetries) {
    return invalid(fmt::format("All retries together must be at most {}.", kMaxRetries));
  }
  return {};
}

ServiceResult<void> check(const SchedulingConfig& scheduling, std::int64_t now) {
  if (const auto start = scheduling.start_time) {
    if (*start < now + kLeastLead || *start > now + kLongestLead) {
      return invalid("startTime must lie 30 minutes to one year ahead.");
    }
  }
  if (const auto end = scheduling.end_time) {
    const std::int64_t from = scheduling.start_time.value_or(now);
    if (*end < from + kLeastLead || *end > from + kLongestRun) {
      return invalid("endTime must lie 30 minutes to two years after the start.");
    }
  } else if (scheduling.end_behavior) {
    return invalid("endBehavior needs an endTime.");
  }
  return check_windows(scheduling.maintenance_windows, scheduling.start_time.value_or(now));
}

}  // namespace otasim::cloud
