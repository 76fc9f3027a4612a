// What went over the link, from its capture, as rows for a page: when, which way, what for and how long.
//
// A row is [t_us, DIRECTION, WHAT, BYTES]: DIRECTION 0 from the device, 1 to it, 2 to everybody; WHAT counts
// in `kinds` ("tcp 8883 syn", "arp"). Payloads are encrypted and stay in the capture, for Wireshark.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/report/html/event_rows.h"

namespace otasim::report::html {

/// Frames that a page takes; further ones are counted only.
inline constexpr std::size_t kMostFrames = 200'000;

/// {"kinds": [...], "rows": [...], "left_off": N}. What is no frame that is understood is told as "frame"; a
/// capture that is none, or is not there, has no rows.
[[nodiscard]] nlohmann::json read_frame_rows(const std::string& path,
                                             const std::vector<ClockAnchor>& anchors);

}  // namespace otasim::report::html
