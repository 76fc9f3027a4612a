// Image versions as people write them: MAJOR.MINOR.REVISION[+BUILD], MCUboot's notation.
#pragma once

#include <string>
#include <string_view>

#include "agent/boot/image_format.h"
#include "sim/base/result.h"

namespace otasim::image {

using boot::image::Version;

/// @returns kUsage if `text` is not a version or a part is out of range (255.255.65535+4294967295).
[[nodiscard]] Result<Version> parse_version(std::string_view text);

/// "1.2.3", or "1.2.3+4" when there is a build number.
[[nodiscard]] std::string to_string(const Version& version);

/// AWS's packed form: major << 24 | minor << 16 | build.
[[nodiscard]] constexpr std::uint32_t packed(const Version& v) {
  return (static_cast<std::uint32_t>(v.major) << 24) | (static_cast<std::uint32_t>(v.minor) << 16) |
         v.revision;
}

}  // namespace otasim::image
