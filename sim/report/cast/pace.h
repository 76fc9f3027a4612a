// How fast a run is shown. A whole update takes a laptop half a second: at that speed nobody sees anything.
//
// A run is a row of beats: things that happen at a time and need to be seen for a while. At reading pace the
// time to the next beat is stretched to that while, and left as it is where it is longer, up to the idle
// limit; however long a run, dwelling on its beats takes no more than kLongestDwelling. In real time nothing
// is stretched. Both ways time runs forward, and a moment between two beats is shown between them.
//
//   const Pace pace(beats, {.speed = 2});
//   pace.shown_at(t_us)   // seconds from the recording's begin
//   pace.time_at(1.5)     // what the run's clock says then
#pragma once

#include <cstdint>
#include <vector>

namespace otasim::report::cast {

struct Beat {
  std::int64_t t_us = 0;
  double dwell_s = 0;  ///< how long it is to be seen, at reading pace
};

struct PaceOptions {
  double speed = 1;         ///< 2: in half the time
  double idle_limit_s = 1;  ///< the longest that nothing may happen, before `speed`
  bool is_real_time = false;
};

inline constexpr double kLongestDwelling = 40;

class Pace {
 public:
  /// @param beats  with times that do not decrease
  Pace(const std::vector<Beat>& beats, const PaceOptions& options);

  [[nodiscard]] double shown_at(std::int64_t t_us) const;
  [[nodiscard]] std::int64_t time_at(double shown_s) const;
  /// When the last beat is shown.
  [[nodiscard]] double length_s() const { return points_.empty() ? 0 : points_.back().shown_s; }

 private:
  struct Point {
    std::int64_t t_us;
    double shown_s;
  };
  std::vector<Point> points_;
};

}  // namespace otasim::report::cast
