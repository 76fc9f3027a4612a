#include "agent/src/block_bitmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "agent/src/base64.h"

namespace ota {
namespace {

using ::testing::ElementsAre;

TEST(BlockBitmap, WantsExactlyTheFilesBlocks) {
  for (std::uint32_t blocks = 0; blocks <= 32; ++blocks) {
    std::array<std::uint8_t, 4> bytes{0xAA, 0xAA, 0xAA, 0xAA};
    BlockBitmap bitmap(bytes);
    ASSERT_TRUE(bitmap.want_all(blocks));
    for (std::uint32_t i = 0; i < 40; ++i) EXPECT_EQ(bitmap.is_wanted(i), i < blocks) << blocks << " " << i;
  }
}

TEST(BlockBitmap, FirstBlockIsTheLowestBit) {
  std::array<std::uint8_t, 2> bytes{};
  BlockBitmap bitmap(bytes);
  ASSERT_TRUE(bitmap.want_all(10));
  bitmap.mark_received(0);
  bitmap.mark_received(9);
  EXPECT_THAT(bytes, ElementsAre(0xFE, 0x01));
}

TEST(BlockBitmap, RefusesMoreBlocksThanItHasBits) {
  std::array<std::uint8_t, 2> bytes{};
  BlockBitmap bitmap(bytes);
  EXPECT_TRUE(bitmap.want_all(16));
  EXPECT_FALSE(bitmap.want_all(17));
  EXPECT_FALSE(bitmap.want_all(UINT32_MAX));
}

TEST(BlockBitmap, BlocksBeyondItAreNeitherWantedNorMarked) {
  std::array<std::uint8_t, 1> bytes{0xFF};
  BlockBitmap bitmap(bytes);
  EXPECT_FALSE(bitmap.is_wanted(8));
  EXPECT_FALSE(bitmap.is_wanted(UINT32_MAX));
  bitmap.mark_received(UINT32_MAX);
  EXPECT_EQ(bytes[0], 0xFF);
}

TEST(Base64, DecodesTheStandardsVectors) {
  const std::vector<std::pair<const char*, std::string>> vectors = {{"", ""},
                                                                    {"Zg==", "f"},
                                                                    {"Zm8=", "fo"},
                                                                    {"Zm9v", "foo"},
                                                                    {"Zm9vYg==", "foob"},
                                                                    {"Zm9vYmE=", "fooba"},
                                                                    {"Zm9vYmFy", "foobar"},
                                                                    {"+/+/", "\xFB\xFF\xBF"}};
  for (const auto& [text, expected] : vectors) {
    std::array<std::uint8_t, 6> out{};
    const auto size = base64_decode(text, out);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*size)), expected);
  }
}

TEST(Base64, RefusesWhatDoesNotFit) {
  std::array<std::uint8_t, 2> out{};
  EXPECT_TRUE(base64_decode("Zm8=", out));
  EXPECT_FALSE(base64_decode("Zm9v", out));
}

}  // namespace
}  // namespace ota
