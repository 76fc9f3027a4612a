// The clock of a run: how calendar time, which op logs and captures tell, becomes the events' time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace otasim::report {

/// From `t_us` on, the calendar's microseconds are `epoch_us` + t_us.
struct ClockAnchor {
  std::int64_t t_us = 0;
  std::int64_t epoch_us = 0;

  bool operator==(const ClockAnchor&) const = default;
};

/// The events' clock at a moment of the calendar. @param anchors  in order
/// @returns nothing if there is no anchor
[[nodiscard]] std::optional<std::int64_t> event_time(const std::vector<ClockAnchor>& anchors,
                                                     std::int64_t calendar_us);

}  // namespace otasim::report
