// The journal: power is cut at every byte of every write and erase, and torn cells read differently from one
// boot to the next. The state found is always the old one or the new one, and once acted upon it stays.
#include "agent/boot/boot_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "qemu_boards/native/native_flash.h"

namespace {

using boot::BootControl;
using boot::BootState;
using flash::Status;

constexpr std::uint32_t kJournalSize = 2 * flash::kSectorSize;
static_assert(flash::kBootControl1.offset == flash::kSectorSize,
              "the journal is the part's first two sectors");

/// States that differ in every field a test looks at.
BootState numbered(std::uint32_t number) {
  BootState state;
  state.committed_slot = boot::Slot::kA;
  state.committed.security_counter = number;
  state.committed.size = ~number;
  state.committed.digest.fill(static_cast<std::uint8_t>(number * 37));
  return state;
}

std::uint32_t number_of(const BootControl& control) {
  return control.state().committed.security_counter;
}

/// What the bootloader does at each boot. @returns what load or settle returned
Status boot_once(BootControl& control) {
  const Status status = control.load();
  return status == Status::kOk ? control.settle() : status;
}

class BootControlTest : public testing::Test {
 protected:
  void SetUp() override {
    flash().model().power_on();
    std::fill_n(flash().window().begin(), kJournalSize, std::uint8_t{0xFF});
  }

  // 16 MiB of flash are slow to make; each test blanks the journal.
  static native::NativeFlash& flash() {
    static native::NativeFlash flash;
    return flash;
  }

  [[nodiscard]] std::vector<std::uint8_t> journal() const {
    return {flash().window().begin(), flash().window().begin() + kJournalSize};
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
      const std::uint32_t length = operation == 1 ? flash::kSectorSize : flash::kPageSize;
      for (std::uint32_t bytes = 0; bytes <= length; ++bytes) {
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

TEST_F(BootControlTest, BlankJournalHasNoRecord) {
  BootControl control(flash());
  ASSERT_EQ(boot_once(control), Status::kOk);
  EXPECT_FALSE(control.has_record());
  EXPECT_FALSE(control.is_settled());
  EXPECT_EQ(control.state(), BootState{});
  EXPECT_EQ(journal(), std::vector<std::uint8_t>(kJournalSize, 0xFF));
}

TEST_F(BootControlTest, TheLastOfManyAppendsIsInForce) {
  for (std::uint32_t number = 1; number <= 200; ++number) {
    append_one_session(number);
    ASSERT_EQ(stored(), number);
  }
}

TEST_F(BootControlTest, ManyAppendsInOneSessionWork) {
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  for (std::uint32_t number = 1; number <= 200; ++number) {
    ASSERT_EQ(control.append(numbered(number)), Status::kOk);
    ASSERT_TRUE(control.is_settled());
    ASSERT_EQ(stored(), number);
  }
}

TEST_F(BootControlTest, ASettledJournalIsNotWrittenAtBoot) {
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

TEST_F(BootControlTest, TheFirstRecordIsSettledInBothSectorsAtTheSecondBoot) {
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

TEST_F(BootControlTest, ASessionErasesOnceForFourAppends) {
  append_one_session(0);
  append_one_session(1);
  const auto erases = [&] {
    return flash().model().erase_count(0) + flash().model().erase_count(flash::kSectorSize);
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

TEST_F(BootControlTest, FirstRecordSurvivesACutAtEveryByte) {
  EXPECT_EQ(cut_everywhere(std::nullopt, 1), 4U);
}

TEST_F(BootControlTest, RecordSurvivesACutAtEveryByteFromEitherSector) {
  append_one_session(1);
  for (std::uint32_t number = 2; number <= 3; ++number) {
    append_one_session(number);
    EXPECT_EQ(cut_everywhere(number, number + 10), 4U) << "an erase, the record, two confirmations";
    ASSERT_EQ(stored(), number + 10);
  }
}

TEST_F(BootControlTest, RecordSurvivesACutAtEveryByteLaterInASession) {
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

TEST_F(BootControlTest, EveryFlippedBitOfARecordIsFound) {
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
      std::uint8_t& byte = damaged[flash::kSectorSize + page * flash::kPageSize + bit / 8];
      byte = static_cast<std::uint8_t>(byte ^ (1U << (bit % 8)));
    }
    restore(damaged);
    ASSERT_EQ(stored(), 1U) << "bit " << bit;
  }
}

TEST_F(BootControlTest, OneDamagedCopyIsReplacedAtBoot) {
  append_one_session(1);
  append_one_session(2);
  const auto before = journal();
  for (const std::uint32_t page : {0U, 1U, 2U}) {
    restore(before);
    // Session 1 wrote sector 0 and settled nothing; session 2 settled 1 in sector 1 and wrote 2 behind it.
    flash().window()[flash::kSectorSize + (4 + page) * flash::kPageSize + 20] ^= 1;
    BootControl control(flash());
    ASSERT_EQ(control.load(), Status::kOk);
    EXPECT_EQ(number_of(control), 2U);
    EXPECT_FALSE(control.is_settled());
    ASSERT_EQ(control.settle(), Status::kOk);
    EXPECT_TRUE(control.is_settled());
    EXPECT_EQ(stored(), 2U);
  }
}

TEST_F(BootControlTest, ARecordMovedToAnotherPageDoesNotCount) {
  append_one_session(1);
  append_one_session(2);
  const auto before = journal();
  for (const std::uint32_t from : {0U, 2U, 16U, 20U}) {
    for (std::uint32_t to = 0; to < 2 * BootControl::kPages; ++to) {
      if (to / BootControl::kPages == 1 && to % BootControl::kPages < 7) continue;  // keep what is in force
      if (to == from) continue;
      auto forged = before;
      std::copy_n(before.begin() + from * flash::kPageSize, flash::kPageSize,
                  forged.begin() + to * flash::kPageSize);
      restore(forged);
      ASSERT_EQ(stored(), 2U) << "page " << from << " copied to " << to;
    }
  }
}

TEST_F(BootControlTest, GarbageEverywhereIsNoRecordAndCanBeWrittenOver) {
  std::mt19937 random(1);
  for (std::uint32_t at = 0; at < kJournalSize; ++at) {
    flash().window()[at] = static_cast<std::uint8_t>(random());
  }
  EXPECT_EQ(stored(), std::nullopt);
  append_one_session(1);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(BootControlTest, UnsoundStatesAreNotWritten) {
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  BootState state = numbered(1);
  state.committed_slot = static_cast<boot::Slot>(5);
  EXPECT_EQ(control.append(state), Status::kOutOfRange);
  EXPECT_EQ(stored(), std::nullopt);
}

TEST_F(BootControlTest, UnreadableFlashIsReported) {
  append_one_session(1);
  flash().model().cut_power_now();
  BootControl control(flash());
  EXPECT_EQ(control.load(), Status::kNoDevice);
  EXPECT_FALSE(control.has_record());
}

/// The journal's two sectors as worn or torn cells: programs can fail, and what a cut was changing reads at
/// random, drawn anew at each boot, until it is erased.
class WeakFlash : public flash::FlashDriver {
 public:
  WeakFlash() : cells_(kJournalSize, 0xFF), weak_(kJournalSize, 0), seen_(kJournalSize, 0) {}

  [[nodiscard]] flash::Geometry geometry() const override { return flash::kGeometry; }

  /// Power comes back: weak cells settle on what they read until the next boot.
  void power_on(std::mt19937& random) {
    powered_ = true;
    until_cut_.reset();
    // Often all weak cells agree: then a torn record reads as complete, or as never begun.
    constexpr std::array kChances{0.0, 0.02, 0.5, 0.98, 1.0};
    std::bernoulli_distribution reads_new(kChances[random() % kChances.size()]);
    for (std::size_t at = 0; at < cells_.size(); ++at) {
      seen_[at] = 0;
      for (unsigned bit = 0; weak_[at] != 0 && bit < 8; ++bit) {
        if (reads_new(random)) seen_[at] = static_cast<std::uint8_t>(seen_[at] | (1U << bit));
      }
    }
  }
  void cut_in(std::uint32_t operations, std::uint32_t bytes) { until_cut_ = {operations, bytes}; }
  void fail_program_in(std::uint32_t operations) { until_failure_ = operations; }
  [[nodiscard]] bool powered() const { return powered_; }

  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    if (!powered_) return Status::kNoDevice;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = visible(offset + i);
    return Status::kOk;
  }

  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return change(offset, {data.begin(), data.end()}, false);
  }

  [[nodiscard]] Status erase_sector(std::uint32_t offset) override {
    return change(offset, std::vector<std::uint8_t>(flash::kSectorSize, 0xFF), true);
  }

  [[nodiscard]] Status lock(std::uint32_t, std::uint32_t) override { return Status::kBadCommand; }
  [[nodiscard]] Status otp_read(std::uint32_t, std::span<std::uint8_t>) override {
    return Status::kBadCommand;
  }
  [[nodiscard]] Status otp_program(std::uint32_t, std::span<const std::uint8_t>) override {
    return Status::kBadCommand;
  }
  [[nodiscard]] Status otp_lock() override { return Status::kBadCommand; }
  [[nodiscard]] Status entropy(std::span<std::uint8_t>) override { return Status::kBadCommand; }

 private:
  struct Cut {
    std::uint32_t operations;
    std::uint32_t bytes;
  };

  [[nodiscard]] std::uint8_t visible(std::size_t at) const {
    return static_cast<std::uint8_t>(cells_[at] ^ (weak_[at] & seen_[at]));
  }

  Status change(std::size_t offset, const std::vector<std::uint8_t>& target, bool is_erase) {
    if (!powered_) return Status::kNoDevice;
    const bool is_cut = until_cut_ && until_cut_->operations-- == 0;
    const bool fails = !is_erase && until_failure_ && (*until_failure_)-- == 0;
    if (fails) until_failure_.reset();
    constexpr std::size_t kFailsAt = 100;
    const std::size_t reached = is_cut  ? std::min<std::size_t>(until_cut_->bytes, target.size())
                                : fails ? kFailsAt
                                        : target.size();
    for (std::size_t at = offset; at < offset + reached; ++at) {
      const std::uint8_t wanted = target[at - offset];
      const auto result = is_erase ? wanted : static_cast<std::uint8_t>(visible(at) & wanted);
      if (is_cut) {
        weak_[at] = static_cast<std::uint8_t>(weak_[at] | (cells_[at] ^ result));
      } else {
        // Programming makes cells solid only where it clears them.
        weak_[at] = is_erase ? std::uint8_t{0} : static_cast<std::uint8_t>(weak_[at] & wanted);
        cells_[at] = static_cast<std::uint8_t>(result | weak_[at]);
      }
    }
    if (is_cut) powered_ = false;
    if (is_cut) return Status::kNoDevice;
    return fails ? Status::kProgramFailed : Status::kOk;
  }

  std::vector<std::uint8_t> cells_;
  std::vector<std::uint8_t> weak_;  ///< bits that may read either way
  std::vector<std::uint8_t> seen_;  ///< which of them read flipped at this boot
  bool powered_ = true;
  std::optional<Cut> until_cut_;
  std::optional<std::uint32_t> until_failure_;
};

/// One long life of a journal on weak cells.
class WeakLife {
 public:
  explicit WeakLife(std::uint32_t seed) : random_(seed) {}

  void run(int boots) {
    for (int boot = 0; boot < boots && !testing::Test::HasFailure(); ++boot) session();
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  void session() {
    flash_.power_on(random_);
    if (below(2) == 0) flash_.cut_in(below(8), below(flash::kSectorSize + 1));
    if (below(4) == 0) flash_.fail_program_in(below(4));
    BootControl control(flash_);
    ASSERT_EQ(control.load(), Status::kOk);
    const auto found = control.has_record() ? std::optional(number_of(control)) : std::nullopt;
    ASSERT_TRUE(std::find(possible_.begin(), possible_.end(), found) != possible_.end())
        << "found " << found.value_or(0) << " after " << next_ - 1;
    if (control.settle() != Status::kOk) return;
    // From here the bootloader acts on it: no other state may ever be found again.
    if (found) possible_ = {found};
    for (std::uint32_t appends = below(3); appends > 0; --appends) {
      const std::uint32_t number = next_++;
      possible_.push_back(number);
      if (control.append(numbered(number)) != Status::kOk) return;
      possible_ = {number};
    }
  }

  std::mt19937 random_;
  WeakFlash flash_;
  std::uint32_t next_ = 1;
  std::vector<std::optional<std::uint32_t>> possible_{std::nullopt};
};

TEST(BootControlOnWeakCells, AStateActedUponIsNeverLostNorReplacedByATornOne) {
  for (std::uint32_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    WeakLife(seed).run(60);
  }
}

}  // namespace
