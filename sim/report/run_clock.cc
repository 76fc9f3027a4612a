#include "sim/report/run_clock.h"

namespace otasim::report {

std::optional<std::int64_t> event_time(const std::vector<ClockAnchor>& anchors, std::int64_t calendar_us) {
  if (anchors.empty()) return std::nullopt;
  for (std::size_t i = anchors.size(); i-- > 1;) {
    if (calendar_us - anchors[i].epoch_us >= anchors[i].t_us) return calendar_us - anchors[i].epoch_us;
  }
  return calendar_us - anchors.front().epoch_us;
}

}  // namespace otasim::report
