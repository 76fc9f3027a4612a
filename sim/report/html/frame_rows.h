// What went over a device's link, as rows for a page: when, which way, what for and how long.
//
// A row is [t_us, DIRECTION, WHAT, BYTES]: DIRECTION 0 from the device, 1 to it, 2 to everybody; WHAT counts
// in `kinds` ("tcp 8883 syn", "arp").
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sim/base/json.h"

namespace otasim::report::html {

/// Frames that a page takes; further ones are counted only.
inline constexpr std::size_t kMostFrames = 200'000;

class FrameRows {
 public:
  /// Takes the next event `link` / `frame` of a RunStream.
  void take(const nlohmann::json& frame);
  /// {"kinds": [...], "rows": [...], "left_off": N}
  [[nodiscard]] nlohmann::json tell() const;

 private:
  std::map<std::string, std::size_t> numbers_;
  nlohmann::json kinds_ = nlohmann::json::array();
  nlohmann::json rows_ = nlohmann::json::array();
  std::uint64_t left_off_ = 0;
};

}  // namespace otasim::report::html
