// The calendar: what a device without a battery-backed clock knows of the date.
//
//   CalendarTime time(kBuildTime);
//   time.raise_floor(stored);      // what was kept in flash (time_floor.h)
//   time.tick()                    // in every turn of the loop
//   time.set(answer)               // a time server's answer; the latest counts
//   time.now()
//
// Until a server has answered, the device knows only that its image was built, and its floor stored, before
// now: now() is a time that is over, not the time. So "expired" can be said of a certificate, "not valid yet"
// cannot; is_known() tells. A server's answer is not authenticated: it can be wrong, but never puts the clock
// below the floor, and one that is wrong towards the future is mended by the next.
#pragma once

#include <cstdint>

namespace app {

/// Seconds since 1970-01-01T00:00:00Z.
using EpochSeconds = std::int64_t;

class CalendarTime {
 public:
  explicit CalendarTime(EpochSeconds build_time);

  /// Now is not before `time`.
  void raise_floor(EpochSeconds time);

  /// Now is `time`. @returns false, and changes nothing, if that is below the floor
  [[nodiscard]] bool set(EpochSeconds time);

  /// Follows the board's clock; at least once in 24 days, so that its wrap is not missed.
  void tick();

  [[nodiscard]] EpochSeconds now() const;
  /// Whether a server has told the time since the start.
  [[nodiscard]] bool is_known() const { return is_known_; }

 private:
  void start_from(EpochSeconds time);

  EpochSeconds floor_;
  EpochSeconds base_;  ///< what it was at `elapsed_ms_` 0
  std::int64_t elapsed_ms_ = 0;
  std::uint32_t last_tick_ms_;
  bool is_known_ = false;
};

}  // namespace app
