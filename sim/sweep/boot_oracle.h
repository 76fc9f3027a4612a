// What must hold after each boot of a case, and when its boots have come to rest. The invariants are the
// scenarios' (sim/scenario/invariants.h), of them those that a boot alone can break:
//
//   S1  an approved image starts: the one approved at the cut, or the one that the cut operation approves; an
//   image is
//       tried at most as often as the ROM allows, and its attempt is on record before it runs
//   S2  what runs verifies in raw flash, byte for byte
//   S3  no application below the highest committed counter starts; OTP is burned to the committed image's
//   counter, and
//       never beyond the approved one's; the floor of recovery images rises only when the recovery image
//       starts, to its counter at most
//   S5  the bootloader programs boot control, of it erased cells only, and OTP, of it what an image asks for
//       only: the floors, and the signers that the approved image revokes. It erases boot control and first
//       sectors of slots. All of that a bounded number of times
//   S6  what the application must not write is locked when it starts; no boot writes what is in ROM
//   L2  within three boots flash is what it was the boot before; a boot that repairs marginal bits does not
//   count
//
// A violation is a text that begins with the invariant's name. Everything is read from the window by the
// host's own code; the device's console only tells which image it says it has started.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/boot/boot_state.h"
#include "pal_sim/flash/window.h"
#include "sim/image/remembering_verifier.h"
#include "sim/scenario/oracle.h"
#include "sim/sweep/boot_machine.h"

namespace otasim::sweep {

/// Boots of one case, at most: the third must change nothing.
inline constexpr std::size_t kMaxBoots = 3;
/// The same of a case with marginal bits: each boot that makes some of them firm gives it one boot more.
inline constexpr std::size_t kMaxBootsOfMarginalBits = 8;
/// Operations that change cells, in one boot: boot control's sets with all their tries, burns, an erase.
inline constexpr std::size_t kMaxChangesPerBoot = 128;

using Digest = ::crypto::Sha256Digest;

/// What flash says at one moment, as far as a later boot is bound by it.
struct Standing {
  /// Of the images that may be approved at a later boot: the one that is, and while its record is not settled
  /// the one before. Nothing: none, the device is in its fail-safe mode.
  std::set<std::optional<Digest>> may_be_approved;
  /// Of a staged image whose attempts are used.
  std::optional<Digest> tried;

  bool operator==(const Standing&) const = default;
};

class BootOracle {
 public:
  /// @param key  that signs images; outlives it
  BootOracle(const crypto::P256Key& key, const flash::Geometry& part);

  [[nodiscard]] Standing standing(flash::ConstWindow window);

  /// What binds a case's later boots.
  struct Case {
    std::set<std::optional<Digest>> may_be_approved;
    std::set<Digest> may_not_be_tried = {};
    std::uint32_t highest_committed = 0;
  };

  /// Begins a case: power was cut between these two moments.
  void begin(const Standing& before, const Standing& after);
  /// Begins a case that branches off from another one, of which this is known.
  void resume(const Case& known);
  [[nodiscard]] const Case& known() const { return case_; }

  /// One boot of the case, in order.
  /// @param before  flash as the bootloader found it, marginal bits as they read then
  /// @param after   as it left it
  void judge(const Boot& boot, flash::ConstWindow before, flash::ConstWindow after);
  /// @param is_at_rest  the last boot has changed no cell; where some are marginal, they have been read anew
  /// in it, and may still read differently some day
  void end(flash::ConstWindow window, bool is_at_rest);

  /// What did not hold since begin().
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Started {
    boot::Slot slot = boot::Slot::kNone;
    std::string state;
    Digest digest{};
    std::uint32_t counter = 0;
  };

  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args);
  [[nodiscard]] std::optional<Digest> factory_image(flash::ConstWindow window);
  [[nodiscard]] Result<scenario::ApprovedImage> approved(flash::ConstWindow window);
  [[nodiscard]] Result<scenario::ApprovedImage> approved_by(const boot::BootState& state,
                                                            flash::ConstWindow window);
  [[nodiscard]] std::optional<Started> started_image(const Boot& boot, flash::ConstWindow after);
  void judge_starts_before_reset(const Boot& boot, flash::ConstWindow after);
  void judge_start(const Started& started, const Boot& boot, flash::ConstWindow after);
  void judge_attempt(const Digest& image);
  void judge_trial(const Started& started, flash::ConstWindow after);
  void judge_operations(const Boot& boot, flash::ConstWindow before);
  void judge_locks(const Started& started, const Boot& boot);
  void judge_floor(flash::ConstWindow after);
  void judge_recovery_floor(const Boot& boot, flash::ConstWindow before, flash::ConstWindow after);
  void judge_revocations(flash::ConstWindow before, flash::ConstWindow after);

  image::RememberingVerifier verifier_;
  flash::Geometry part_;
  scenario::VerifyImage verify_;
  unsigned boots_ = 0;
  std::optional<Started> last_;
  Case case_;
  std::vector<std::string> violations_;
};

}  // namespace otasim::sweep
