#include "agent/src/block_bitmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "agent/src/base64.h"

namespace ota {
namespace {

using ::testing::ElementsAre;

TEST(BlockBitmap, SetFirstSetsExactlyThese) {
  for (std::uint32_t blocks = 0; blocks <= 40; ++blocks) {
    std::array<std::uint8_t, 4> bytes{0xAA, 0xAA, 0xAA, 0xAA};
    BlockBitmap bitmap(bytes);
    bitmap.set_first(blocks);
    for (std::uint32_t i = 0; i < 40; ++i) {
      EXPECT_EQ(bitmap.is_set(i), i < blocks && i < 32) << blocks << " " << i;
    }
  }
}

TEST(BlockBitmap, FirstBlockIsTheLowestBit) {
  std::array<std::uint8_t, 2> bytes{};
  BlockBitmap bitmap(bytes);
  bitmap.set_first(10);
  bitmap.clear(0);
  bitmap.clear(9);
  bitmap.set(15);
  EXPECT_THAT(bytes, ElementsAre(0xFE, 0x81));
}

TEST(BlockBitmap, BytesAreEnoughForTheBlocks) {
  EXPECT_EQ(BlockBitmap::bytes_for(0), 0U);
  EXPECT_EQ(BlockBitmap::bytes_for(8), 1U);
  EXPECT_EQ(BlockBitmap::bytes_for(9), 2U);
  EXPECT_EQ(BlockBitmap::bytes_for(UINT32_MAX), 0x2000'0000U);
}

TEST(BlockBitmap, BlocksBeyondItAreNeitherSetNorCleared) {
  std::array<std::uint8_t, 1> bytes{0xFF};
  BlockBitmap bitmap(bytes);
  EXPECT_FALSE(bitmap.is_set(8));
  EXPECT_FALSE(bitmap.is_set(UINT32_MAX));
  bitmap.clear(UINT32_MAX);
  bitmap.set(8);
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
    ASSERT_NE(size, kNotBase64) << text;
    EXPECT_EQ(std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)), expected);
  }
}

TEST(Base64, RefusesWhatDoesNotFit) {
  std::array<std::uint8_t, 2> out{};
  EXPECT_EQ(base64_decode("Zm8=", out), 2U);
  EXPECT_EQ(base64_decode("Zm9v", out), kNotBase64);
}

}  // namespace
}  // namespace ota
