// The event log as rows for a page: short, in chunks that a browser takes one after the other.
//
// A row is [t_us, NAME, DEVICE, MEMBERS]: NAME counts in `names` ("uart.line"), DEVICE in `devices` (-1:
// none), and MEMBERS are the event's further ones; of a console line only its text. A row whose number is not
// its place has that as a fifth element.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::report::html {

/// From `t_us` on, the calendar's microseconds are `epoch_us` + t_us.
struct ClockAnchor {
  std::int64_t t_us = 0;
  std::int64_t epoch_us = 0;
};

/// The events' clock at a moment of the calendar. @param anchors  in order
/// @returns nothing if there is no anchor
[[nodiscard]] std::optional<std::int64_t> event_time(const std::vector<ClockAnchor>& anchors,
                                                     std::int64_t calendar_us);

struct EventRows {
  std::vector<std::string> names = {};
  std::vector<std::string> devices = {};
  std::vector<std::string> chunks = {};  ///< JSON arrays of rows, escaped for a page
  std::vector<ClockAnchor> anchors = {};
  std::vector<std::string> reasons = {};  ///< of jobs, each once
  std::uint64_t count = 0;
  std::uint64_t skipped_lines = 0;  ///< that are no events: a torn last one, or damage
};

/// @returns kEnvironment if the file cannot be read; kUsage if it is a later version's
[[nodiscard]] Result<EventRows> read_event_rows(const std::string& path);

}  // namespace otasim::report::html
