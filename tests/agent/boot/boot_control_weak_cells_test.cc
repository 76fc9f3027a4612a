// The journal on weak cells: what a cut was changing reads differently from one boot to the next, and
// programs fail now and then. A state once acted upon is found at every later boot until another one replaces
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "agent/boot/boot_control.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/numbered_state.h"

namespace {

using boot::BootControl;
using boot_test::number_of;
using boot_test::numbered;
using flash::Status;

/// One long life of a journal on weak cells.
class WeakLife {
 public:
  WeakLife(std::uint32_t seed, const flash::Geometry& part) : random_(seed), flash_(seed, part) {}

  void run(int boots) {
    for (int boot = 0; boot < boots && !testing::Test::HasFailure(); ++boot) session();
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  void session() {
    flash_.model().power_on();
    const std::uint32_t next_operation = flash_.model().sequence() + 1;
    if (below(4) != 0) {
      flash_.model().cut_power_at({.operation = next_operation + below(5),
                                   .bytes = below(4) == 0 ? below(flash::kJournalSize + 1) : 0,
                                   .marginal_bytes = below(flash::kJournalSize + 1)});
    }
    if (below(4) == 0) {
      flash_.model().plan_failure({.operation = next_operation + below(6),
                                   .kind = flash::OpKind::kProgram,
                                   .bytes = below(flash::kPageSize + 1)});
    }
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
  native::NativeFlash flash_;
  std::uint32_t next_ = 1;
  std::vector<std::optional<std::uint32_t>> possible_{std::nullopt};
};

TEST(BootControlOnWeakCells, AStateActedUponIsNeverLostNorReplacedByATornOne) {
  for (const flash::Geometry& part : flash::kParts) {
    SCOPED_TRACE(part.sector_size);
    for (std::uint32_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE(seed);
      WeakLife(seed, part).run(60);
    }
  }
}

}  // namespace
