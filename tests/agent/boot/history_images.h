// The images of random boot histories, made once: signatures are slow.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/agent/boot/image_builder.h"

namespace boot_test {

struct CatalogImage {
  Bytes bytes;
  std::uint32_t counter;
};

/// Those that can be staged.
[[nodiscard]] const std::vector<CatalogImage>& catalog();

/// What the factory may have put into the recovery slot; the last one is no recovery image.
[[nodiscard]] const std::vector<CatalogImage>& recoveries();

/// Above all others: whoever can be updated takes it.
[[nodiscard]] const CatalogImage& last_update();

}  // namespace boot_test
