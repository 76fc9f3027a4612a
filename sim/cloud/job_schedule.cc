#include "sim/cloud/job_schedule.h"

#include <algorithm>

#include "sim/cloud/aws_cron.h"

namespace otasim::cloud {

namespace {

constexpr std::int64_t kSecondsPerMinute = 60;

std::optional<std::int64_t> earlier(const std::optional<std::int64_t>& a,
                                    const std::optional<std::int64_t>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// When a window that is open now closes.
std::optional<std::int64_t> open_until(const AwsCron& cron, std::int64_t duration, std::int64_t now) {
  const auto began = cron.next_at_or_after(now - duration + 1);
  if (!began || *began > now) return std::nullopt;
  return *began + duration;
}

}  // namespace

SchedulePhase phase_at(const SchedulingConfig& scheduling, std::int64_t now) {
  using Kind = SchedulePhase::Kind;
  const auto& end = scheduling.end_time;
  if (end && now >= *end) return {Kind::kOver, {}};
  if (scheduling.start_time && now < *scheduling.start_time) {
    return {Kind::kWaiting, scheduling.start_time};
  }
  if (scheduling.maintenance_windows.empty()) return {Kind::kOpen, end};
  std::optional<std::int64_t> closes;
  std::optional<std::int64_t> opens;
  for (const MaintenanceWindow& window : scheduling.maintenance_windows) {
    const auto cron = AwsCron::parse(window.start_time);
    if (!cron) continue;  // not one that was checked
    const auto until = open_until(*cron, window.duration_minutes * kSecondsPerMinute, now);
    closes = std::max(closes, until);
    opens = earlier(opens, cron->next_at_or_after(now + 1));
  }
  if (closes) return {Kind::kOpen, earlier(closes, end)};
  return {Kind::kWaiting, earlier(opens, end)};
}

}  // namespace otasim::cloud
