// The seed in flash: no two starts hand out the same bytes, whenever power fails, and it is never lost.
#include "pal_sim/entropy/nv_seed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace entropy {
namespace {

using flash::Status;
using ::testing::Each;

using Bytes32 = std::array<std::uint8_t, 32>;
using Image = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 32> kSecret{1, 2, 3};
constexpr Seed kFirst{42};

class NvSeedTest : public testing::Test {
 protected:
  void SetUp() override {
    part().model().set_cell_state({});
    part().model().power_on();
    part().model().forget_failures();
    std::ranges::fill(sectors(), std::uint8_t{0xFF});
    write_factory_seed(kFirst);
  }

  // 16 MiB of flash are slow to make; each test blanks the seed's sectors.
  static native::NativeFlash& part() {
    static native::NativeFlash flash(1, flash::kSpiNorPart);
    return flash;
  }
  static std::span<std::uint8_t> sectors() {
    return part().window().subspan(flash::kSeed0.offset, flash::kSeed1.end() - flash::kSeed0.offset);
  }
  static std::span<std::uint8_t> sector(const flash::Partition& partition) {
    return part().window().subspan(partition.offset, partition.size);
  }
  static void write_factory_seed(const Seed& seed) {
    const SeedPage page = seed_page(1, seed);
    for (std::uint32_t copy = 0; copy < kSeedCopies; ++copy)
      std::ranges::copy(page, sector(flash::kSeed0).begin() + copy * flash::kPageSize);
  }

  /// One start of the device. @returns the bytes it handed out, if it came to that
  static std::optional<Bytes32> start() {
    NvSeed seed(part(), kSecret);
    Bytes32 out{};
    if (seed.fill(out) != Status::kOk) {
      EXPECT_THAT(out, Each(0)) << "a failure hands out nothing";
      return std::nullopt;
    }
    return out;
  }
};

TEST_F(NvSeedTest, EachCallAndEachStartGivesOtherBytes) {
  std::set<Bytes32> seen;
  for (int boot = 0; boot < 20; ++boot) {
    NvSeed seed(part(), kSecret);
    for (int call = 0; call < 5; ++call) {
      Bytes32 out{};
      ASSERT_EQ(seed.fill(out), Status::kOk);
      EXPECT_TRUE(seen.insert(out).second) << "start " << boot << " call " << call;
    }
  }
}

TEST_F(NvSeedTest, TheSameFlashGivesTheSameBytesAndAnotherSeedOrSecretOthers) {
  const Image factory(sectors().begin(), sectors().end());
  const auto bytes = start();
  ASSERT_TRUE(bytes);
  std::ranges::copy(factory, sectors().begin());
  EXPECT_EQ(start(), bytes);

  std::ranges::fill(sectors(), std::uint8_t{0xFF});
  write_factory_seed(Seed{43});
  EXPECT_NE(start(), bytes);

  std::ranges::copy(factory, sectors().begin());
  constexpr std::array<std::uint8_t, 32> kOtherSecret{1, 2, 4};
  NvSeed other(part(), kOtherSecret);
  Bytes32 out{};
  ASSERT_EQ(other.fill(out), Status::kOk);
  EXPECT_NE(out, *bytes);
}

TEST_F(NvSeedTest, TheSeedIsReplacedBeforeTheFirstByteAndOnceAStart) {
  const std::uint32_t before = part().model().sequence();
  NvSeed seed(part(), kSecret);
  EXPECT_EQ(part().model().sequence(), before) << "a device that asks for nothing wears nothing";
  Bytes32 out{};
  ASSERT_EQ(seed.fill(out), Status::kOk);
  const std::uint32_t after_first = part().model().sequence();
  EXPECT_EQ(after_first - before, 2 * kSeedCopies + 2);
  EXPECT_THAT(sector(flash::kSeed0), Each(0xFF)) << "what the bytes come from is gone";
  ASSERT_EQ(seed.fill(out), Status::kOk);
  EXPECT_EQ(part().model().sequence(), after_first);
}

TEST_F(NvSeedTest, WhatIsHandedOutIsNotWhatStandsInFlash) {
  const auto bytes = start();
  ASSERT_TRUE(bytes);
  const auto found = std::ranges::search(sectors(), *bytes);
  EXPECT_TRUE(found.empty());
}

TEST_F(NvSeedTest, WithoutAValidSeedThereIsNothing) {
  std::ranges::fill(sectors(), std::uint8_t{0xFF});
  NvSeed blank(part(), kSecret);
  Bytes32 out{};
  EXPECT_EQ(blank.fill(out), Status::kBadCommand);
  std::ranges::fill(sectors(), std::uint8_t{0});
  EXPECT_EQ(blank.fill(out), Status::kBadCommand);
  EXPECT_THAT(out, Each(0));
  EXPECT_THAT(sectors(), Each(0)) << "nothing is written over what cannot be read";
}

TEST_F(NvSeedTest, EveryDamagedBitOfARecordIsFound) {
  const SeedPage whole = seed_page(1, kFirst);
  for (std::size_t bit = 0; bit < sizeof(SeedRecord) * 8; ++bit) {
    std::ranges::fill(sectors(), std::uint8_t{0xFF});
    std::ranges::copy(whole, sector(flash::kSeed0).begin());
    sector(flash::kSeed0)[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    NvSeed seed(part(), kSecret);
    Bytes32 out{};
    ASSERT_EQ(seed.fill(out), Status::kBadCommand) << "bit " << bit;
  }
}

TEST_F(NvSeedTest, OneGoodCopyIsEnough) {
  const auto expected = start();
  for (std::uint32_t good = 0; good < kSeedCopies; ++good) {
    SetUp();
    for (std::uint32_t copy = 0; copy < kSeedCopies; ++copy) {
      if (copy != good) sector(flash::kSeed0)[copy * flash::kPageSize + 10] ^= 0x40;
    }
    EXPECT_EQ(start(), expected) << "copy " << good;
    EXPECT_TRUE(start());
  }
}

TEST_F(NvSeedTest, MoreThanAPageIsRefused) {
  NvSeed seed(part(), kSecret);
  std::array<std::uint8_t, flash::kPageSize + 1> out{};
  EXPECT_EQ(seed.fill(out), Status::kOutOfRange);
  EXPECT_EQ(seed.fill(std::span(out).first(flash::kPageSize)), Status::kOk);
}

TEST_F(NvSeedTest, FlashThatCannotBeWrittenGivesNothing) {
  for (const flash::OpKind kind : {flash::OpKind::kProgram, flash::OpKind::kEraseSector}) {
    for (const bool is_silent : {false, true}) {
      if (kind == flash::OpKind::kEraseSector && is_silent) continue;  // nobody could tell
      SetUp();
      part().model().plan_failure({.kind = kind, .begin = flash::kSeed1.offset, .is_silent = is_silent});
      EXPECT_FALSE(start());
      part().model().forget_failures();
      EXPECT_TRUE(start()) << "the seed is still there";
    }
  }
}

TEST_F(NvSeedTest, OnePageThatCannotBeWrittenIsNoFailure) {
  part().model().plan_failure({.kind = flash::OpKind::kProgram,
                               .begin = flash::kSeed1.offset,
                               .end = flash::kSeed1.offset + flash::kPageSize});
  std::set<std::optional<Bytes32>> seen;
  for (int boot = 0; boot < 6; ++boot) {
    const auto bytes = start();
    ASSERT_TRUE(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST_F(NvSeedTest, AnUnreadablePartIsReported) {
  part().model().cut_power_now();
  NvSeed seed(part(), kSecret);
  Bytes32 out{};
  EXPECT_EQ(seed.fill(out), Status::kNoDevice);
  EXPECT_THAT(out, Each(0));
}

/// Cuts one start at every byte of a record and in steps of each erase, with torn cells and without, and lets
/// the device start three times more.
TEST_F(NvSeedTest, ACutAnywhereNeitherRepeatsBytesNorLosesTheSeed) {
  for (const int starts_before : {0, 1}) {
    SetUp();
    std::set<Bytes32> before;
    for (int i = 0; i < starts_before; ++i) before.insert(*start());
    const Image saved(sectors().begin(), sectors().end());
    const auto uncut = start();
    for (std::uint32_t operation = 1; operation <= 2 * kSeedCopies + 2; ++operation) {
      const bool is_erase = operation == kSeedCopies + 1 || operation == 2 * kSeedCopies + 2;
      const std::uint32_t length = is_erase ? flash::kSpiNorPart.sector_size : flash::kPageSize;
      // At every byte of the record, then in steps.
      const auto step = [&](std::uint32_t at) {
        return at < sizeof(SeedRecord) ? 1U : (is_erase ? 0x400U : 0x40U);
      };
      for (std::uint32_t bytes = 0; bytes <= length; bytes += step(bytes)) {
        for (const std::uint32_t marginal : {0U, 7U, 0x1'0000U}) {
          std::ranges::copy(saved, sectors().begin());
          part().model().set_cell_state({.power_ons = operation * 1000 + bytes});
          part().model().cut_power_at({part().model().sequence() + operation, bytes, marginal});
          ASSERT_FALSE(start()) << "a cut start hands out nothing";
          std::set<Bytes32> seen = before;
          for (int boot = 0; boot < 3; ++boot) {
            part().model().power_on();
            const auto given = start();
            ASSERT_TRUE(given) << "lost: operation " << operation << " byte " << bytes << " start " << boot;
            ASSERT_TRUE(seen.insert(*given).second) << "operation " << operation << " byte " << bytes;
          }
        }
      }
    }
    ASSERT_TRUE(uncut);
  }
}

/// Long lives in which most starts are cut somewhere, so that what is torn is torn again.
TEST_F(NvSeedTest, ManyCutsInALifeNeitherRepeatBytesNorLoseTheSeed) {
  for (std::uint32_t life = 1; life <= 40; ++life) {
    SetUp();
    part().model().set_cell_state({.power_ons = life * 1000});
    std::mt19937 random(life);
    const auto below = [&random](std::uint32_t limit) {
      return static_cast<std::uint32_t>(random() % limit);
    };
    std::set<Bytes32> seen;
    int handed_out = 0;
    for (int boot = 0; boot < 60; ++boot) {
      part().model().power_on();
      if (below(5) != 0) {
        part().model().cut_power_at({.operation = part().model().sequence() + 1 + below(2 * kSeedCopies + 2),
                                     .bytes = below(3) == 0 ? below(0x1'0001) : below(64),
                                     .marginal_bytes = below(2) * 0x1'0000});
      }
      const auto given = start();
      if (part().model().powered()) {
        ASSERT_TRUE(given) << "life " << life << " start " << boot;
      }
      if (!given) continue;
      ++handed_out;
      ASSERT_TRUE(seen.insert(*given).second) << "life " << life << " start " << boot;
    }
    EXPECT_GT(handed_out, 3);
  }
}

}  // namespace
}  // namespace entropy
