// The journal: power is cut at every byte of every write and erase, and the state found is always the old one
// or the new one. boot_control_weak_cells_test.cc goes on where torn cells do not even read the same twice.
#include "agent/boot/boot_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/journal_bytes.h"
#include "tests/agent/boot/numbered_state.h"

namespace {

using boot::BootControl;
using boot::BootState;
using boot_test::journal_page;
using boot_test::kBothPartitions;
using boot_test::number_of;
using boot_test::numbered;
using flash::Status;

/// What the bootloader does at each boot. @returns what load or settle returned
Status boot_once(BootControl& control) {
  const Status status = control.load();
  return status == Status::kOk ? control.settle() : status;
}

/// On every kind of part: the journal is the same, the sectors around it are not.
class BootControlTest : public testing::TestWithParam<flash::Geometry> {
 protected:
  void SetUp() override {
    flash().model().power_on();
    std::fill_n(flash().window().begin(), kBothPartitions, std::uint8_t{0xFF});
  }

  // 16 MiB of flash are slow to make; each test blanks the journal.
  static native::NativeFlash& flash() {
    static native::NativeFlash controller_part(1, flash::kControllerPart);
    static native::NativeFlash spi_nor_part(1, flash::kSpiNorPart);
    return GetParam() == flash::kSpiNorPart ? spi_nor_part : controller_part;
  }

  [[nodiscard]] static std::vector<std::uint8_t> journal() {
    return {flash().window().begin(), flash().window().begin() + kBothPartitions};
  }
  void restore(const std::vector<std::uint8_t>& saved) {
    std::copy(saved.begin(), saved.end(), flash().window().begin());
  }

  void append_one_session(std::uint32_t number) {
    BootControl control(flash());
    ASSERT_EQ(control.load(), Status::kOk);
    ASSERT_EQ(control.append(numbered(number)), Status::kOk);
  }

  [[nodiscard]] std::optional<std::uint32_t> stored() {
    BootControl control(flash());
    if (control.load() != Status::kOk || !control.has_record()) return std::nullopt;
    return number_of(control);
  }

  /// Cuts power at every byte of every operation that appending `next` takes from the journal as it stands.
  /// @returns the number of operations it took
  std::uint32_t cut_everywhere(std::optional<std::uint32_t> old, std::uint32_t next) {
    const auto before = journal();
    for (std::uint32_t operation = 1;; ++operation) {
      const std::uint32_t length = operation == 1 ? GetParam().sector_size : flash::kPageSize;
      // At every byte; behind the journal a large sector is blank anyway, and the large erase in steps.
      const bool is_large = length > flash::kJournalSize;
      const auto step = [&](std::uint32_t at) {
        return !is_large ? 1U : (at < flash::kJournalSize ? 5U : 0x1000U);
      };
      for (std::uint32_t bytes = 0; bytes <= length; bytes += step(bytes)) {
        restore(before);
        BootControl control(flash());
        EXPECT_EQ(control.load(), Status::kOk);
        flash().model().cut_power_at({flash().model().sequence() + operation, bytes});
        const Status status = control.append(numbered(next));
        const bool was_cut = !flash().model().powered();
        flash().model().power_on();
        if (!was_cut) return status == Status::kOk ? operation - 1 : 0;
        EXPECT_EQ(status, Status::kNoDevice);
        expect_recovery(old, next);
        EXPECT_FALSE(HasFailure()) << "operation " << operation << " byte " << bytes;
        if (HasFailure()) return 0;
      }
    }
  }

  void expect_recovery(std::optional<std::uint32_t> old, std::uint32_t next) {
    const auto found = stored();
    EXPECT_TRUE(found == old || found == next);
    BootControl control(flash());
    EXPECT_EQ(boot_once(control), Status::kOk);
    EXPECT_EQ(control.has_record() ? std::optional(number_of(control)) : std::nullopt, found);
    EXPECT_EQ(control.is_settled(), found.has_value());
    EXPECT_EQ(control.append(numbered(next + 1)), Status::kOk);
    EXPECT_EQ(stored(), next + 1);
  }
};

TEST_P(BootControlTest, BlankJournalHasNoRecord) {
  BootControl control(flash());
  ASSERT_EQ(boot_once(control), Status::kOk);
  EXPECT_FALSE(control.has_record());
  EXPECT_FALSE(control.is_settled());
  EXPECT_EQ(control.state(), BootState{});
  EXPECT_EQ(journal(), std::vector<std::uint8_t>(kBothPartitions, 0xFF));
}

TEST_P(BootControlTest, TheLastOfManyAppendsIsInForce) {
  for (std::uint32_t number = 1; number <= 200; ++number) {
    append_one_session(number);
    ASSERT_EQ(stored(), number);
  }
}

TEST_P(BootControlTest, ManyAppendsInOneSessionWork) {
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  for (std::uint32_t number = 1; number <= 200; ++number) {
    ASSERT_EQ(control.append(numbered(number)), Status::kOk);
    ASSERT_TRUE(control.is_settled());
    ASSERT_EQ(stored(), number);
  }
}

TEST_P(BootControlTest, ASettledJournalIsNotWrittenAtBoot) {
  append_one_session(1);
  append_one_session(2);
  const auto before = journal();
  for (int i = 0; i < 3; ++i) {
    BootControl control(flash());
    ASSERT_EQ(boot_once(control), Status::kOk);
    EXPECT_TRUE(control.is_settled());
    EXPECT_EQ(control.append(numbered(2)), Status::kOk);
  }
  EXPECT_EQ(journal(), before);
}

TEST_P(BootControlTest, TheFirstRecordIsSettledInBothSectorsAtTheSecondBoot) {
  append_one_session(1);
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  EXPECT_FALSE(control.is_settled()) << "nothing tells it from a device whose second write was cut";
  ASSERT_EQ(control.settle(), Status::kOk);
  BootControl next_boot(flash());
  ASSERT_EQ(next_boot.load(), Status::kOk);
  EXPECT_TRUE(next_boot.is_settled());
  EXPECT_EQ(number_of(next_boot), 1U);
}

TEST_P(BootControlTest, ASessionErasesOnceForFourAppends) {
  append_one_session(0);
  append_one_session(1);
  const auto erases = [&] {
    return flash().model().erase_count(0) + flash().model().erase_count(flash::kBootControl1.offset);
  };
  const std::uint32_t before = erases();
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  for (std::uint32_t number = 2; number <= 5; ++number)
    ASSERT_EQ(control.append(numbered(number)), Status::kOk);
  EXPECT_EQ(erases() - before, 1U);
  ASSERT_EQ(control.append(numbered(6)), Status::kOk);
  EXPECT_EQ(erases() - before, 2U);
}

TEST_P(BootControlTest, FirstRecordSurvivesACutAtEveryByte) {
  EXPECT_EQ(cut_everywhere(std::nullopt, 1), 4U);
}

TEST_P(BootControlTest, RecordSurvivesACutAtEveryByteFromEitherSector) {
  append_one_session(1);
  for (std::uint32_t number = 2; number <= 3; ++number) {
    append_one_session(number);
    EXPECT_EQ(cut_everywhere(number, number + 10), 4U) << "an erase, the record, two confirmations";
    ASSERT_EQ(stored(), number + 10);
  }
}

TEST_P(BootControlTest, RecordSurvivesACutAtEveryByteLaterInASession) {
  for (std::uint32_t operation = 1; operation <= 4; ++operation) {
    for (std::uint32_t bytes = 0; bytes <= flash::kPageSize; ++bytes) {
      SetUp();
      BootControl control(flash());
      ASSERT_EQ(control.load(), Status::kOk);
      ASSERT_EQ(control.append(numbered(1)), Status::kOk);
      flash().model().cut_power_at({flash().model().sequence() + operation, bytes});
      ASSERT_EQ(control.append(numbered(2)), Status::kNoDevice);
      flash().model().power_on();
      expect_recovery(1, 2);
      ASSERT_FALSE(HasFailure()) << "operation " << operation << " byte " << bytes;
    }
  }
}

TEST_P(BootControlTest, EveryFlippedBitOfARecordIsFound) {
  append_one_session(1);
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  ASSERT_EQ(control.append(numbered(1)), Status::kOk);
  ASSERT_EQ(control.append(numbered(2)), Status::kOk);
  const auto before = journal();
  // The second session settled 1 in pages 0 to 2 of sector 1, announced in page 3, and wrote 2 in pages 4
  // to 6.
  for (std::uint32_t bit = 0; bit < flash::kPageSize * 8; ++bit) {
    auto damaged = before;
    for (std::uint32_t page = 4; page <= 6; ++page) {
      std::uint8_t& byte = damaged[flash::kBootControl1.offset + page * flash::kPageSize + bit / 8];
      byte = static_cast<std::uint8_t>(byte ^ (1U << (bit % 8)));
    }
    restore(damaged);
    ASSERT_EQ(stored(), 1U) << "bit " << bit;
  }
}

TEST_P(BootControlTest, OneDamagedCopyIsReplacedAtBoot) {
  append_one_session(1);
  append_one_session(2);
  const auto before = journal();
  for (const std::uint32_t page : {0U, 1U, 2U}) {
    restore(before);
    // Session 1 wrote sector 0 and settled nothing; session 2 settled 1 in sector 1 and wrote 2 behind it.
    flash().window()[flash::kBootControl1.offset + (4 + page) * flash::kPageSize + 20] ^= 1;
    BootControl control(flash());
    ASSERT_EQ(control.load(), Status::kOk);
    EXPECT_EQ(number_of(control), 2U);
    EXPECT_FALSE(control.is_settled());
    ASSERT_EQ(control.settle(), Status::kOk);
    EXPECT_TRUE(control.is_settled());
    EXPECT_EQ(stored(), 2U);
  }
}

TEST_P(BootControlTest, ARecordMovedToAnotherPageDoesNotCount) {
  append_one_session(1);
  append_one_session(2);
  const auto before = journal();
  for (const std::uint32_t from : {0U, 2U, 16U, 20U}) {
    for (std::uint32_t to = 0; to < 2 * BootControl::kPages; ++to) {
      if (to / BootControl::kPages == 1 && to % BootControl::kPages < 7) continue;  // keep what is in force
      if (to == from) continue;
      auto forged = before;
      std::copy_n(before.begin() + journal_page(from), flash::kPageSize, forged.begin() + journal_page(to));
      restore(forged);
      ASSERT_EQ(stored(), 2U) << "page " << from << " copied to " << to;
    }
  }
}

TEST_P(BootControlTest, GarbageEverywhereIsNoRecordAndCanBeWrittenOver) {
  std::mt19937 random(1);
  for (std::uint32_t at = 0; at < kBothPartitions; ++at) {
    flash().window()[at] = static_cast<std::uint8_t>(random());
  }
  EXPECT_EQ(stored(), std::nullopt);
  append_one_session(1);
  EXPECT_EQ(stored(), 1U);
}

TEST_P(BootControlTest, NothingIsWrittenBeforeTheJournalWasRead) {
  append_one_session(1);
  append_one_session(2);
  const auto before = journal();
  BootControl control(flash());
  EXPECT_EQ(control.append(numbered(3)), Status::kOutOfRange);
  EXPECT_EQ(journal(), before);
  ASSERT_EQ(control.load(), Status::kOk);
  EXPECT_EQ(control.append(numbered(3)), Status::kOk);
}

TEST_P(BootControlTest, UnsoundStatesAreNotWritten) {
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  BootState state = numbered(1);
  state.committed_slot = static_cast<boot::Slot>(5);
  EXPECT_EQ(control.append(state), Status::kOutOfRange);
  EXPECT_EQ(stored(), std::nullopt);
}

TEST_P(BootControlTest, UnreadableFlashIsReported) {
  append_one_session(1);
  flash().model().cut_power_now();
  BootControl control(flash());
  EXPECT_EQ(control.load(), Status::kNoDevice);
  EXPECT_FALSE(control.has_record());
}

INSTANTIATE_TEST_SUITE_P(Parts, BootControlTest, testing::ValuesIn(flash::kParts), [](const auto& suite) {
  return suite.param == flash::kSpiNorPart ? "SpiNor" : "Controller";
});

}  // namespace
