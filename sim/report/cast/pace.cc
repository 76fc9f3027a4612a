#include "sim/report/cast/pace.h"

#include <algorithm>

namespace otasim::report::cast {
namespace {

constexpr double kMicroseconds = 1e6;

/// How far between `from` and `to` it is, 0 to 1.
double part(double at, double from, double to) {
  return to <= from ? 0 : std::clamp((at - from) / (to - from), 0.0, 1.0);
}

}  // namespace

Pace::Pace(const std::vector<Beat>& beats, const PaceOptions& options) {
  double dwelling = 0;
  for (const Beat& beat : beats) dwelling += beat.dwell_s;
  const double scale = dwelling > kLongestDwelling ? kLongestDwelling / dwelling : 1;
  double shown = 0;
  for (std::size_t i = 0; i < beats.size(); ++i) {
    points_.push_back({beats[i].t_us, shown / options.speed});
    if (i + 1 == beats.size()) break;
    const double real = static_cast<double>(beats[i + 1].t_us - beats[i].t_us) / kMicroseconds;
    const double capped = std::min(real, options.idle_limit_s);
    shown += options.is_real_time ? capped : std::max(capped, beats[i].dwell_s * scale);
  }
}

double Pace::shown_at(std::int64_t t_us) const {
  if (points_.empty()) return 0;
  const auto next = std::ranges::upper_bound(points_, t_us, {}, &Point::t_us);
  if (next == points_.begin()) return 0;
  const Point& before = *(next - 1);
  if (next == points_.end()) return before.shown_s;
  const double along =
      part(static_cast<double>(t_us), static_cast<double>(before.t_us), static_cast<double>(next->t_us));
  return before.shown_s + along * (next->shown_s - before.shown_s);
}

std::int64_t Pace::time_at(double shown_s) const {
  if (points_.empty()) return 0;
  const auto next = std::ranges::upper_bound(points_, shown_s, {}, &Point::shown_s);
  if (next == points_.begin()) return points_.front().t_us;
  const Point& before = *(next - 1);
  if (next == points_.end()) return before.t_us;
  const double along = part(shown_s, before.shown_s, next->shown_s);
  return before.t_us + static_cast<std::int64_t>(along * static_cast<double>(next->t_us - before.t_us));
}

}  // namespace otasim::report::cast
