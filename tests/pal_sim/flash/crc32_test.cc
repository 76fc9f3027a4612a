#include "pal_sim/flash/crc32.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace flash {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Crc32, MatchesThePublishedCheckValue) {
  EXPECT_EQ(crc32(bytes("123456789")), 0xCBF4'3926u);
}

TEST(Crc32, OfNothingIsZero) {
  EXPECT_EQ(crc32({}), 0u);
}

TEST(Crc32, OfErasedFlashIsNotErasedFlash) {
  std::array<std::uint8_t, 32> erased{};
  erased.fill(0xFF);
  EXPECT_NE(crc32(erased), 0xFFFF'FFFFu);
}

TEST(Crc32, ChainsAcrossAnySplit) {
  const auto whole = bytes("power may fail at any byte");
  for (std::size_t split = 0; split <= whole.size(); ++split) {
    EXPECT_EQ(crc32(whole.subspan(split), crc32(whole.first(split))), crc32(whole)) << "split at " << split;
  }
}

TEST(Crc32, FindsEverySingleBitError) {
  std::array<std::uint8_t, 16> data{};
  const std::uint32_t good = crc32(data);
  for (std::size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] = static_cast<std::uint8_t>(data[bit / 8] ^ (1u << (bit % 8)));
    EXPECT_NE(crc32(data), good) << "bit " << bit;
    data[bit / 8] = 0;
  }
}

}  // namespace
}  // namespace flash
