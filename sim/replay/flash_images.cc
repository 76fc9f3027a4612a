#include "sim/replay/flash_images.h"

#include <utility>

#include "sim/device/device.h"
#include "sim/replay/page_delta.h"

namespace otasim::replay {

Result<std::span<const std::uint8_t>> FlashImages::go_to(unsigned step) {
  unsigned done = std::exchange(step_, 0);  // what a damaged file has left is none
  if (done == 0 || done > step) {
    content_.assign(device::kFlashWindowBytes, kErased);
    done = 0;
  }
  for (; done < step; ++done) {
    const auto what = done % 2 == 0 ? Recording::kFlash : Recording::kEnd;
    if (auto applied = apply_page_delta(recording_.path(done / 2 + 1, what), content_); !applied)
      return tl::unexpected(applied.error());
  }
  step_ = step;
  return std::span<const std::uint8_t>(content_);
}

}  // namespace otasim::replay
