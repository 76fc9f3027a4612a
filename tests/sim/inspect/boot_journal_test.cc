// The host's reader of the journal finds what the bootloader's finds, on journals of all kinds.
#include "sim/inspect/boot_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "agent/boot/boot_state.h"
#include "pal_sim/flash/crc32.h"
#include "qemu_boards/native/native_flash.h"

namespace otasim::inspect {
namespace {

using boot::BootRecord;
using boot::BootState;
using ::testing::HasSubstr;

boot::ImageIdentity identity(std::uint8_t number) {
  boot::ImageIdentity out;
  out.version = {1, 0, number, 0};
  out.security_counter = number;
  out.size = 1000;
  out.digest.fill(number);
  return out;
}

class BootJournalTest : public ::testing::Test {
 protected:
  void append(const std::optional<BootState>& state) {
    ASSERT_TRUE(state.has_value());
    boot::BootControl control(flash);
    ASSERT_EQ(control.load(), flash::Status::kOk);
    ASSERT_EQ(control.append(*state), flash::Status::kOk);
    current = *state;
  }
  void commit_factory() { append(boot::commit_factory({}, boot::Slot::kA, identity(1))); }
  void receive() { append(boot::begin_receive(current, "job-1", boot::Slot::kB)); }

  std::span<std::uint8_t> page(std::uint32_t sector, std::uint32_t index) {
    return flash.window().subspan(journal_partition(sector).offset + index * flash::kPageSize,
                                  flash::kPageSize);
  }
  /// Writes a record whose checksum holds.
  void put(std::uint32_t sector, std::uint32_t index, BootRecord record) {
    record.crc32 =
        flash::crc32({reinterpret_cast<const std::uint8_t*>(&record), offsetof(BootRecord, crc32)});
    std::memcpy(page(sector, index).data(), &record, sizeof record);
  }
  static BootRecord record_of(std::uint32_t sequence, std::uint16_t role = 0) {
    return {.magic = BootRecord::kMagic,
            .sequence = sequence,
            .format = BootRecord::kFormat,
            .role = role,
            .state = {},
            .crc32 = 0};
  }
  [[nodiscard]] std::string problem_at(std::uint32_t sector, std::uint32_t index) {
    const BootJournal journal = read_boot_journal(flash.window());
    EXPECT_FALSE(journal.pages[sector][index].record);
    return journal.pages[sector][index].problem;
  }
  void expect_as_the_bootloader(const std::string& what) {
    const BootJournal journal = read_boot_journal(flash.window());
    boot::BootControl control(flash);
    ASSERT_EQ(control.load(), flash::Status::kOk);
    ASSERT_EQ(journal.in_force.has_value(), control.has_record()) << what;
    EXPECT_EQ(journal.is_settled, control.is_settled()) << what;
    if (!control.has_record()) return;
    EXPECT_EQ(journal.record_in_force()->state, control.state()) << what;
    EXPECT_EQ(journal_partition(journal.in_force->sector).offset, control.in_force_partition().offset)
        << what;
  }

  native::NativeFlash flash;
  BootState current;
};

TEST_F(BootJournalTest, ABlankJournalHasNoRecordInForce) {
  const BootJournal journal = read_boot_journal(flash.window());
  EXPECT_FALSE(journal.in_force);
  EXPECT_FALSE(journal.is_settled);
  EXPECT_TRUE(journal.pages[0][0].is_blank());
}

TEST_F(BootJournalTest, TheSecondConfirmationIsInForceAndTellsTheState) {
  commit_factory();
  receive();
  const BootJournal journal = read_boot_journal(flash.window());
  ASSERT_TRUE(journal.in_force);
  EXPECT_EQ(role_name(journal.record_in_force()->role), "second confirmation");
  EXPECT_EQ(journal.record_in_force()->state, current);
  EXPECT_TRUE(journal.is_settled);
}

TEST_F(BootJournalTest, EachWayOfBeingNoRecordIsNamed) {
  put(0, 0, record_of(0));
  page(0, 0)[100] ^= 1;
  EXPECT_THAT(problem_at(0, 0), HasSubstr("checksum"));
  put(0, 1, record_of(2));
  EXPECT_THAT(problem_at(0, 1), HasSubstr("belongs elsewhere: its sequence is 2"));
  put(1, 0, record_of(0));
  EXPECT_THAT(problem_at(1, 0), HasSubstr("belongs elsewhere")) << "the other sector's";
  put(0, 2, record_of(2, 4));
  EXPECT_THAT(problem_at(0, 2), HasSubstr("unknown role 4"));
  BootRecord other_format = record_of(3);
  other_format.format = 2;
  put(0, 3, other_format);
  EXPECT_THAT(problem_at(0, 3), HasSubstr("unknown format 2"));
  BootRecord unsound = record_of(4);
  unsound.state.staged_slot = boot::Slot::kA;  // though nothing is staged
  put(0, 4, unsound);
  EXPECT_THAT(problem_at(0, 4), HasSubstr("a state that cannot be"));
  put(0, 5, record_of(16U * 0x0100'0002U + 5));
  EXPECT_THAT(problem_at(0, 5), HasSubstr("beyond the last generation"));
  page(0, 6)[255] = 0;
  EXPECT_THAT(problem_at(0, 6), HasSubstr("no record begins here"));
}

TEST_F(BootJournalTest, APageInTheJournalHasAPlaceAndWhatIsBehindItHasNone) {
  const auto place = journal_place(flash::kBootControl1.offset + 3 * flash::kPageSize + 17);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->sector, 1U);
  EXPECT_EQ(place->page, 3U);
  EXPECT_FALSE(journal_place(flash::kBootControl0.offset + flash::kJournalSize));
  EXPECT_FALSE(journal_place(flash::kSlotA.offset));
}

/// Journals as histories with cuts leave them, then damaged: each time the same record in force, and the same
/// answer to whether it is settled.
TEST_F(BootJournalTest, ReadsDamagedJournalsAsTheBootloaderDoes) {
  std::mt19937_64 random(11);
  int settled = 0;
  constexpr int kHistories = 60;
  constexpr int kStates = 8;
  for (int history = 0; history < kHistories; ++history) {
    for (const std::uint32_t sector : {0U, 1U})
      std::ranges::fill(flash.window().subspan(journal_partition(sector).offset, flash::kJournalSize),
                        std::uint8_t{0xFF});
    current = {};
    for (int i = 0; i < kStates; ++i) {
      flash.model().power_on();
      if (random() % 3 == 0) {
        flash.model().cut_power_at(
            {.operation = flash.model().sequence() + 1 + static_cast<std::uint32_t>(random() % 6),
             .bytes = static_cast<std::uint32_t>(random() % 257)});
      }
      boot::BootControl control(flash);
      if (control.load() != flash::Status::kOk) continue;
      BootState next = control.state();
      next.committed_slot = i % 2 == 0 ? boot::Slot::kA : boot::Slot::kB;
      next.committed = identity(static_cast<std::uint8_t>(1 + i));
      (void)control.append(next);
      flash.model().power_on();
      expect_as_the_bootloader("history " + std::to_string(history) + ", state " + std::to_string(i));
      settled += read_boot_journal(flash.window()).is_settled ? 1 : 0;
    }
    const std::uint32_t at = static_cast<std::uint32_t>(random() % (2 * flash::kJournalSize));
    const std::uint32_t offset = at < flash::kJournalSize
                                     ? flash::kBootControl0.offset + at
                                     : flash::kBootControl1.offset + at - flash::kJournalSize;
    flash.window()[offset] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    expect_as_the_bootloader("damaged history " + std::to_string(history));
  }
  EXPECT_GT(settled, kHistories) << "both answers come up";
  EXPECT_LT(settled, kHistories * kStates);
}

}  // namespace
}  // namespace otasim::inspect
