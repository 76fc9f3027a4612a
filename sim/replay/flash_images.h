// The flash of a recording's boots, boot after boot: each is stored as what differs from the one before.
//
//   FlashImages flash(recording);
//   flash.at_start(1); flash.at_end(1); flash.at_start(2); ...   // in order, each file is read once
//
// Asked for an earlier one it begins anew.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/result.h"
#include "sim/replay/recording.h"

namespace otasim::replay {

/// What the flash is known to hold before the first boot: nothing, erased.
inline constexpr std::uint8_t kErased = 0xFF;

class FlashImages {
 public:
  /// @param recording  outlives the object
  explicit FlashImages(const Recording& recording) : recording_(recording) {}

  /// The flash that a boot began with, or left; until the next call.
  /// @returns kUsage if a file is damaged or no file; kEnvironment if it is not there
  [[nodiscard]] Result<std::span<const std::uint8_t>> at_start(unsigned boot) { return go_to(2 * boot - 1); }
  [[nodiscard]] Result<std::span<const std::uint8_t>> at_end(unsigned boot) { return go_to(2 * boot); }

 private:
  [[nodiscard]] Result<std::span<const std::uint8_t>> go_to(unsigned step);

  const Recording& recording_;
  std::vector<std::uint8_t> content_;
  unsigned step_ = 0;  ///< how many files are in content_: two of each boot
};

}  // namespace otasim::replay
