// Differences in meaning are named by where they are, differences in bytes by partition.
#include "sim/inspect/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pal_sim/flash/flash_map.h"

namespace otasim::inspect {
namespace {

using ::testing::IsEmpty;

TEST(ReportDiff, EqualReportsHaveNoChange) {
  EXPECT_THAT(changes_between({{"a", 1}}, {{"a", 1}}), IsEmpty());
}

TEST(ReportDiff, ChangesAreNamedDownToTheMember) {
  const auto changes = changes_between({{"a", {{"b", 1}, {"c", {1, 2}}}}, {"d", "x"}},
                                       {{"a", {{"b", 2}, {"c", {1, 3}}}}, {"e", "y"}});
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[0].what, "a.b");
  EXPECT_EQ(changes[0].from, 1);
  EXPECT_EQ(changes[0].to, 2);
  EXPECT_EQ(changes[1].what, "a.c");
  EXPECT_EQ(changes[2].what, "d");
  EXPECT_TRUE(changes[2].to.is_null());
  EXPECT_EQ(changes[3].what, "e");
  EXPECT_TRUE(changes[3].from.is_null());
}

class ByteDiff : public ::testing::Test {
 protected:
  void change(std::uint32_t at) { to[at] ^= 1; }
  [[nodiscard]] std::vector<PartitionDifference> differences() const { return byte_differences(from, to); }

  std::vector<std::uint8_t> from = std::vector<std::uint8_t>(flash::kWindowSize, 0xFF);
  std::vector<std::uint8_t> to = from;
};

TEST_F(ByteDiff, EqualWindowsAndRegistersThatDifferAreNoDifference) {
  change(flash::kRegistersOffset + 0x18);
  change(flash::kPageBufferOffset);
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(ByteDiff, ARangeEndsAtItsPartition) {
  change(flash::kBootControl0.end() - 1);
  change(flash::kBootControl0.end());
  const auto found = differences();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].partition, "boot-control-0");
  EXPECT_EQ(found[0].ranges.at(0).offset, flash::kBootControl0.end() - 1);
  EXPECT_EQ(found[1].partition, "boot-control-1");
  EXPECT_EQ(found[1].differing_bytes, 1U);
}

TEST_F(ByteDiff, BytesCloseToEachOtherAreOneRange) {
  change(flash::kSlotA.offset);
  change(flash::kSlotA.offset + kMergedGap);
  change(flash::kSlotA.offset + 2 * kMergedGap + 1);
  const auto found = differences();
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].ranges.size(), 2U);
  EXPECT_EQ(found[0].ranges[0].length, kMergedGap + 1);
  EXPECT_EQ(found[0].differing_bytes, 3U);
}

TEST_F(ByteDiff, WhatIsInNoPartitionAndInTheBankIsFoundToo) {
  change(0x80'000);
  change(flash::kOtpOffset + flash::kOtpSize - 1);
  const auto found = differences();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].partition, "");
  EXPECT_EQ(found[1].partition, "otp");
}

TEST_F(ByteDiff, TooManyRangesAreCounted) {
  for (std::uint32_t i = 0; i < PartitionDifference::kMostRanges + 5; ++i)
    change(flash::kSlotB.offset + 64 * i);
  const auto found = differences();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ranges.size(), PartitionDifference::kMostRanges);
  EXPECT_EQ(found[0].left_off, 5U);
  EXPECT_EQ(found[0].differing_bytes, PartitionDifference::kMostRanges + 5);
}

}  // namespace
}  // namespace otasim::inspect
