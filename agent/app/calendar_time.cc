#include "agent/app/calendar_time.h"

#include <algorithm>

#include "qemu_boards/common/board.h"

namespace app {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

}  // namespace

CalendarTime::CalendarTime(EpochSeconds build_time)
    : floor_(build_time), base_(build_time), last_tick_ms_(board::millis()) {}

void CalendarTime::raise_floor(EpochSeconds time) {
  floor_ = std::max(floor_, time);
  if (now() < floor_) start_from(floor_);
}

bool CalendarTime::set(EpochSeconds time) {
  if (time < floor_) return false;
  start_from(time);
  is_known_ = true;
  return true;
}

void CalendarTime::tick() {
  const std::uint32_t now_ms = board::millis();
  elapsed_ms_ += now_ms - last_tick_ms_;
  last_tick_ms_ = now_ms;
}

EpochSeconds CalendarTime::now() const {
  const std::uint32_t since_tick_ms = board::millis() - last_tick_ms_;
  return base_ + (elapsed_ms_ + since_tick_ms) / kMsPerSecond;
}

void CalendarTime::start_from(EpochSeconds time) {
  base_ = time;
  elapsed_ms_ = 0;
  last_tick_ms_ = board::millis();
}

}  // namespace app
