// What boot control remembers, and the only ways in which it may change.
//
// Two images can be known: the committed one, which the device falls back to, and a staged one on its way to
// replace it. The staged image's life:
//
//   empty -> receiving -> verified -> trial -> accepted -> (promoted to committed, staged is empty again)
//                 \___________\_________\-> rejected
//
// The functions below are the transitions. They are pure: they take a state and return the next one, or
// nothing if the transition is not allowed from there; the caller appends the result to the journal
// (boot_control.h). None but promote(), fall_back() and commit_factory() touches the committed image, and
// only the bootloader calls those three.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/boot/boot_info.h"
#include "agent/boot/image_format.h"
#include "agent/crypto/crypto.h"

namespace boot {

/// How often an image may be started before it is accepted.
inline constexpr std::uint8_t kMaxTrialAttempts = 1;

inline constexpr std::size_t kMaxJobId = 64;

/// A job's name, kept as text that ends in NUL.
struct JobId {
  std::array<char, kMaxJobId + 1> characters{};
  std::array<std::uint8_t, 3> reserved{};

  [[nodiscard]] std::string_view view() const;
  /// @returns nothing if the name is too long or contains NUL
  [[nodiscard]] static std::optional<JobId> from(std::string_view name);

  friend bool operator==(const JobId&, const JobId&) = default;
};

/// Which image it is, wherever it stands.
struct ImageIdentity {
  image::Version version;
  std::uint32_t security_counter = 0;
  std::uint32_t size = 0;  ///< header to the last TLV
  crypto::Sha256Digest digest{};
  JobId job_id;  ///< the job that brought it; empty for the factory's

  friend bool operator==(const ImageIdentity&, const ImageIdentity&) = default;
};

enum class StagedState : std::uint8_t {
  kEmpty = 0,
  kReceiving = 1,
  kVerified = 2,  ///< complete and verified by the PAL; the next boot tries it
  kTrial = 3,     ///< started, and not yet accepted
  kAccepted = 4,  ///< accepted by itself; the next boot commits it
  kRejected = 5,  ///< will not be started again
};

enum class RejectReason : std::uint8_t {
  kNone = 0,
  kBadImage = 1,     ///< the bootloader refused it
  kTrialFailed = 2,  ///< it was started and did not accept itself
  kRefused = 3,      ///< it, or the application that received it, rejected it
};

struct BootState {
  Slot committed_slot = Slot::kNone;
  Slot staged_slot = Slot::kNone;
  StagedState staged_state = StagedState::kEmpty;
  std::uint8_t attempts = 0;  ///< how often the staged image was started
  RejectReason reject_reason = RejectReason::kNone;
  std::array<std::uint8_t, 3> reserved{};
  ImageIdentity committed;
  ImageIdentity staged;

  friend bool operator==(const BootState&, const BootState&) = default;
};

/// Lower-case words for the boot report.
[[nodiscard]] std::string_view to_string(StagedState state);
[[nodiscard]] std::string_view to_string(RejectReason reason);
[[nodiscard]] std::string_view to_string(ImageState state);
[[nodiscard]] std::string_view to_string(ResetReason reason);

/// @returns false if a field has a value no transition produces
[[nodiscard]] bool is_sound(const BootState& state);

/// The slot an update goes into: the application slot that is not committed. Slot B before anything is.
[[nodiscard]] Slot receive_slot(const BootState& state);

/// A download starts; whatever was staged is given up. Not while an image is on trial or waits to be
/// committed (restart the device first), not into a slot that is committed or not an application's, not
/// without a job.
[[nodiscard]] std::optional<BootState> begin_receive(const BootState& state, std::string_view job_id,
                                                     Slot slot);

/// The received image is complete and verified. The job's name is kept; `image.job_id` is ignored.
/// From kReceiving.
[[nodiscard]] std::optional<BootState> mark_verified(const BootState& state, const ImageIdentity& image);

/// One more attempt is used. From kVerified, and from kTrial while attempts are left.
[[nodiscard]] std::optional<BootState> start_trial(const BootState& state);

/// The running image accepts itself. From kTrial; from kAccepted it changes nothing.
[[nodiscard]] std::optional<BootState> accept(const BootState& state);

/// The staged image will not run (again). From kReceiving, kVerified and kTrial; from kRejected it changes
/// nothing. Never from kAccepted: the cloud may have been told.
[[nodiscard]] std::optional<BootState> reject(const BootState& state, RejectReason reason);

/// Bootloader only: an accepted image no longer verifies. From kAccepted.
[[nodiscard]] std::optional<BootState> discard_accepted(const BootState& state);

/// Bootloader only: the staged image becomes the committed one. From kAccepted.
[[nodiscard]] std::optional<BootState> promote(const BootState& state);

/// Bootloader only: the committed image no longer verifies, and the one before it, in the other slot, does.
/// Only while nothing is staged: what else stands there may be an image that was rejected.
[[nodiscard]] std::optional<BootState> fall_back(const BootState& state, const ImageIdentity& previous);

/// Bootloader only: the image found on a device without a committed one. Not one that is staged.
[[nodiscard]] std::optional<BootState> commit_factory(const BootState& state, Slot slot,
                                                      const ImageIdentity& image);

}  // namespace boot
