// The journal on weak cells: what a cut was changing reads differently from one boot to the next, and
// programs fail now and then. A state once acted upon is found at every later boot until another one replaces
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <vector>

#include "agent/boot/boot_control.h"
#include "tests/agent/boot/numbered_state.h"

namespace {

using boot::BootControl;
using boot_test::number_of;
using boot_test::numbered;
using flash::Status;

constexpr std::uint32_t kJournalSize = 2 * flash::kSectorSize;

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
    if (below(4) != 0) flash_.cut_in(below(5), below(flash::kSectorSize + 1));
    if (below(8) == 0) flash_.fail_program_in(below(4));
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
