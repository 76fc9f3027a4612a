// The configurations of jobs in AWS's JSON form: what requests, answers and the store hold.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "sim/base/json.h"
#include "sim/cloud/job_config.h"
#include "sim/cloud/utc_time.h"

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kTenths = 10;
constexpr double kHundredths = 100;

/// Reads an object's members; the first thing that is wrong is what it says at the end.
class Members {
 public:
  Members(const Json& json, std::string_view what, std::initializer_list<std::string_view> known)
      : json_(json) {
    if (!json.is_object()) {
      fail(fmt::format("{} must be an object.", what));
      return;
    }
    for (const auto& [name, value] : json.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        fail(fmt::format("{} has no member '{}'.", what, name));
      }
    }
  }

  [[nodiscard]] const Json* find(const char* name) const {
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer() || (value->is_number_unsigned() && value->get<std::uint64_t>() > kMost)) {
      fail(fmt::format("{} must be a whole number.", name));
      return std::nullopt;
    }
    return value->get<std::int64_t>();
  }
  /// A number with decimals, in parts: `parts` is 10 for one digit after the point.
  [[nodiscard]] std::optional<std::int64_t> decimal(const char* name, double parts) {
    const Json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() * parts : kUnreadable;
    if (!(std::abs(number) < kUnreadable) || std::abs(number - std::round(number)) > kRounding) {
      fail(fmt::format("{} must be a number with at most {} digits after the point.", name,
                       parts == kTenths ? 1 : 2));
      return std::nullopt;
    }
    return std::llround(number);
  }
  [[nodiscard]] std::optional<std::string> text(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
      fail(fmt::format("{} must be a text.", name));
      return std::nullopt;
    }
    return value->get<std::string>();
  }
  /// An array, or an empty one.
  [[nodiscard]] const Json& list(const char* name) {
    static const Json kEmpty = Json::array();
    const Json* const value = find(name);
    if (value == nullptr) return kEmpty;
    if (value->is_array()) return *value;
    fail(fmt::format("{} must be a list.", name));
    return kEmpty;
  }
  void fail(std::string message) {
    if (!error_) error_.emplace(ErrorCode::kInvalidRequest, std::move(message));
  }
  template <typename T>
  [[nodiscard]] ServiceResult<T> done(T value) const {
    if (error_) return tl::unexpected(*error_);
    return value;
  }

 private:
  static constexpr std::uint64_t kMost = INT64_MAX;
  static constexpr double kUnreadable = 1e12;
  static constexpr double kRounding = 1e-6;

  const Json& json_;
  std::optional<ServiceError> error_;
};

ServiceResult<ExponentialRate> exponential_from_json(const Json& json) {
  Members members(json, "exponentialRate", {"baseRatePerMinute", "incrementFactor", "rateIncreaseCriteria"});
  ExponentialRate rate;
  const auto base = members.integer("baseRatePerMinute");
  const auto factor = members.decimal("incrementFactor", kTenths);
  const Json* const criteria = members.find("rateIncreaseCriteria");
  if (!base || !factor || criteria == nullptr) {
    members.fail("exponentialRate needs baseRatePerMinute, incrementFactor and rateIncreaseCriteria.");
    return members.done(rate);
  }
  Members counts(*criteria, "rateIncreaseCriteria", {"numberOfNotifiedThings", "numberOfSucceededThings"});
  rate = {*base, *factor, counts.integer("numberOfNotifiedThings"),
          counts.integer("numberOfSucceededThings")};
  if (auto valid = counts.done(rate); !valid) return valid;
  return members.done(rate);
}

ServiceResult<AbortCriterion> criterion_from_json(const Json& json) {
  Members members(json, "An abort criterion",
                  {"failureType", "action", "thresholdPercentage", "minNumberOfExecutedThings"});
  const auto name = members.text("failureType");
  const auto failure = name ? abort_failure(*name) : std::nullopt;
  const auto threshold = members.decimal("thresholdPercentage", kHundredths);
  const auto least = members.integer("minNumberOfExecutedThings");
  if (members.text("action") != "CANCEL") members.fail("An abort criterion's action must be CANCEL.");
  if (!failure || !threshold || !least) {
    members.fail(
        "An abort criterion needs failureType (FAILED, REJECTED, TIMED_OUT or ALL), thresholdPercentage and "
        "minNumberOfExecutedThings.");
    return members.done(AbortCriterion{});
  }
  return members.done(AbortCriterion{*failure, *threshold, *least});
}

ServiceResult<AbortConfig> abort_from_json(const Json& json, const char* list) {
  Members members(json, "abortConfig", {list});
  AbortConfig abort;
  if (members.list(list).empty()) members.fail(fmt::format("abortConfig needs a {}.", list));
  for (const Json& one : members.list(list)) {
    const auto criterion = criterion_from_json(one);
    if (!criterion) return tl::unexpected(criterion.error());
    abort.criteria.push_back(*criterion);
  }
  return members.done(abort);
}

ServiceResult<MaintenanceWindow> window_from_json(const Json& json) {
  Members members(json, "A maintenance window", {"startTime", "durationInMinutes"});
  const auto start = members.text("startTime");
  const auto duration = members.integer("durationInMinutes");
  if (!start || !duration) members.fail("A maintenance window needs startTime and durationInMinutes.");
  return members.done(MaintenanceWindow{start.value_or(""), duration.value_or(0)});
}

std::optional<std::int64_t> time_of(Members& members, const char* name) {
  const auto text = members.text(name);
  if (!text) return std::nullopt;
  const auto time = parse_iso8601(*text);
  if (!time) members.fail(fmt::format("{} must be a time such as 2030-01-31T08:00:00Z.", name));
  return time;
}

Json decimal_json(std::int64_t value, std::int64_t parts) {
  if (value % parts == 0) return value / parts;
  return static_cast<double>(value) / static_cast<double>(parts);
}

}  // namespace

Json to_json(const RolloutConfig& rollout) {
  Json json = Json::object();
  if (rollout.maximum_per_minute) json["maximumPerMinute"] = *rollout.maximum_per_minute;
  if (const auto& rate = rollout.exponential) {
    Json criteria = Json::object();
    if (rate->notified_things) criteria["numberOfNotifiedThings"] = *rate->notified_things;
    if (rate->succeeded_things) criteria["numberOfSucceededThings"] = *rate->succeeded_things;
    json["exponentialRate"] = {{"baseRatePerMinute", rate->base_per_minute},
                               {"incrementFactor", decimal_json(rate->increment_tenths, 10)},
                               {"rateIncreaseCriteria", std::move(criteria)}};
  }
  return json;
}

Json to_json(const AbortConfig& abort) {
  Json json = Json::object();
  for (const AbortCriterion& criterion : abort.criteria) {
    json["criteriaList"].push_back(
        {{"failureType", to_string(criterion.failure)},
         {"action", "CANCEL"},
         {"thresholdPercentage", decimal_json(criterion.threshold_hundredths, 100)},
         {"minNumberOfExecutedThings", criterion.min_executed_things}});
  }
  return json;
}

Json to_json(const RetryConfig& retries) {
  Json json = Json::object();
  const auto add = [&json](const char* failure, std::int64_t number) {
    if (number > 0) {
      json["criteriaList"].push_back({{"failureType", failure}, {"numberOfRetries", number}});
    }
  };
  add("FAILED", retries.failed);
  add("TIMED_OUT", retries.timed_out);
  add("ALL", retries.any);
  return json;
}

Json to_json(const SchedulingConfig& scheduling) {
  Json json = Json::object();
  if (scheduling.start_time) json["startTime"] = iso8601(*scheduling.start_time);
  if (scheduling.end_time) json["endTime"] = iso8601(*scheduling.end_time);
  if (scheduling.end_behavior) json["endBehavior"] = to_string(*scheduling.end_behavior);
  for (const MaintenanceWindow& window : scheduling.maintenance_windows) {
    json["maintenanceWindows"].push_back(
        {{"startTime", window.start_time}, {"durationInMinutes", window.duration_minutes}});
  }
  return json;
}

ServiceResult<RolloutConfig> rollout_config_from_json(const Json& json) {
  Members members(json, "jobExecutionsRolloutConfig", {"maximumPerMinute", "exponentialRate"});
  RolloutConfig rollout{members.integer("maximumPerMinute"), {}};
  if (const Json* const exponential = members.find("exponentialRate")) {
    const auto rate = exponential_from_json(*exponential);
    if (!rate) return tl::unexpected(rate.error());
    rollout.exponential = *rate;
  }
  return members.done(rollout);
}

ServiceResult<AbortConfig> abort_config_from_json(const Json& json) {
  return abort_from_json(json, "criteriaList");
}

ServiceResult<AbortConfig> ota_abort_config_from_json(const Json& json) {
  return abort_from_json(json, "abortCriteriaList");
}

ServiceResult<RetryConfig> retry_config_from_json(const Json& json) {
  Members members(json, "jobExecutionsRetryConfig", {"criteriaList"});
  RetryConfig retries;
  const Json& list = members.list("criteriaList");
  constexpr std::size_t kMostCriteria = 2;
  if (list.empty() || list.size() > kMostCriteria) {
    members.fail("jobExecutionsRetryConfig needs a criteriaList of one or two.");
  }
  for (const Json& one : list) {
    Members criterion(one, "A retry criterion", {"failureType", "numberOfRetries"});
    const auto failure = criterion.text("failureType");
    const auto number = criterion.integer("numberOfRetries");
    std::int64_t* const place = failure == "FAILED"      ? &retries.failed
                                : failure == "TIMED_OUT" ? &retries.timed_out
                                : failure == "ALL"       ? &retries.any
                                                         : nullptr;
    if (place == nullptr || !number) {
      criterion.fail("A retry criterion needs failureType (FAILED, TIMED_OUT or ALL) and numberOfRetries.");
    } else {
      *place = *number;
    }
    if (const auto valid = criterion.done(retries); !valid) return valid;
  }
  return members.done(retries);
}

ServiceResult<SchedulingConfig> scheduling_config_from_json(const Json& json) {
  Members members(json, "schedulingConfig", {"startTime", "endTime", "endBehavior", "maintenanceWindows"});
  SchedulingConfig scheduling;
  scheduling.start_time = time_of(members, "startTime");
  scheduling.end_time = time_of(members, "endTime");
  if (const auto name = members.text("endBehavior")) {
    scheduling.end_behavior = end_behavior(*name);
    if (!scheduling.end_behavior) {
      members.fail("endBehavior must be STOP_ROLLOUT, CANCEL or FORCE_CANCEL.");
    }
  }
  for (const Json& one : members.list("maintenanceWindows")) {
    const auto window = window_from_json(one);
    if (!window) return tl::unexpected(window.error());
    scheduling.maintenance_windows.push_back(*window);
  }
  return members.done(scheduling);
}

}  // namespace otasim::cloud
