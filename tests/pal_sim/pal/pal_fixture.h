// What the tests of the PAL as an object have in common: a device, and files that it receives.
#pragma once

#include <gtest/gtest.h>

#include "agent/boot/security_counter.h"
#include "pal_sim/pal/code_signer.h"
#include "pal_sim/pal/pal.h"
#include "tests/agent/boot/journal_bytes.h"
#include "tests/pal_sim/pal/device.h"

namespace pal_test {

using boot::image::Version;

inline constexpr Version kOld{1, 0, 0, 0};
inline constexpr Version kNew{1, 1, 0, 0};

/// No image, and no two blocks or sectors of it are equal.
inline Bytes counting_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8) + (i >> 16));
  return bytes;
}

class PalTest : public testing::Test {
 protected:
  void receive(File& file) {
    ASSERT_EQ(device_.pal().create_file(&file.context), 0U);
    ASSERT_TRUE(write_all(device_.pal(), file));
    ASSERT_EQ(device_.pal().close_file(&file.context), 0U);
    EXPECT_EQ(file.context.pFile, nullptr);
  }
  OtaPalMainStatus_t set_state(OtaImageState_t state) {
    return main_of(device_.pal().set_image_state(nullptr, state));
  }

  Device device_;
};

}  // namespace pal_test
