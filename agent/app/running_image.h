// Which image this is: read from the bootloader's hand-over and from the header it verified.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/boot/boot_info.h"
#include "agent/boot/image_format.h"

namespace app {

struct RunningImage {
  boot::image::Header header;
  boot::Slot slot;
  boot::ImageState state;
  std::uint8_t attempt;  ///< how often it was started on trial; 0 outside a trial
  boot::ResetReason reset_reason;
};

/// @returns nothing if the hand-over is missing or damaged, or does not lead to an image header.
[[nodiscard]] std::optional<RunningImage> read_running_image();

/// "committed", "on trial", "accepted", "recovery".
[[nodiscard]] std::string_view name_of(boot::ImageState state);

}  // namespace app
