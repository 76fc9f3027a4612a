// The oracle: what a device's raw flash says, read by the host with its own eyes.
//
// It never asks the device. Boot control is decoded and images are verified here, over OpenSSL and Boost, by
// code that shares nothing with the bootloader but the format's constants.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "agent/boot/boot_info.h"
#include "agent/boot/boot_state.h"
#include "sim/base/result.h"
#include "sim/crypto/key.h"
#include "sim/image/image.h"

namespace otasim::scenario {

/// The image the device will boot next, proven.
struct ApprovedImage {
  boot::Slot slot = boot::Slot::kNone;
  /// "committed"; "accepted": the image accepted itself durably, and the next boot commits it; or "recovery".
  std::string standing;
  image::Info info;
  std::string job_id;  ///< the job that brought it; empty for the factory's image
};

/// Verifies the image at the start of these bytes: image::verify() with a key, or what remembers its answers
/// (image::RememberingVerifier).
using VerifyImage = std::function<Result<image::Info>(std::span<const std::uint8_t>)>;

/// What the valid boot control record with the highest number says.
struct StateInForce {
  boot::BootState state;
  bool is_settled = false;  ///< confirmed twice: it reads the same at every later boot (boot_control.h)
};
/// @returns nothing if there is no valid record
[[nodiscard]] std::optional<StateInForce> state_in_force(std::span<const std::uint8_t> window);
/// The last state that is confirmed twice: what a later boot falls back to if the one in force is not.
/// @returns nothing if there is none
[[nodiscard]] std::optional<boot::BootState> last_settled_state(std::span<const std::uint8_t> window);

/// What OTP says of the security counter of applications: the lowest that may start.
[[nodiscard]] std::uint32_t application_floor(std::span<const std::uint8_t> window);
/// The same of recovery images.
[[nodiscard]] std::uint32_t recovery_floor(std::span<const std::uint8_t> window);

/// Reads boot control from a flash window and verifies the image it approves.
///
/// @param window  16 MiB, see pal_sim/flash/flash_map.h
/// @returns kFailed, saying what is wrong, if there is no sound record, the image does not verify, or it is
///          not the image the record describes
[[nodiscard]] Result<ApprovedImage> approved_image(std::span<const std::uint8_t> window,
                                                   const crypto::P256Key& key);
[[nodiscard]] Result<ApprovedImage> approved_image(std::span<const std::uint8_t> window,
                                                   const VerifyImage& verify);

/// The image that a state approves.
[[nodiscard]] Result<ApprovedImage> approved_image(const boot::BootState& state,
                                                   std::span<const std::uint8_t> window,
                                                   const VerifyImage& verify);

/// The recovery image, which the device boots next if approved_image() finds none: its documented fail-safe
/// mode.
///
/// @returns kFailed, saying what is wrong, if the recovery slot holds no image that verifies, it is of
/// another
///          kind, or its security counter is below what OTP says of recovery images
[[nodiscard]] Result<ApprovedImage> fail_safe_image(std::span<const std::uint8_t> window,
                                                    const crypto::P256Key& key);
[[nodiscard]] Result<ApprovedImage> fail_safe_image(std::span<const std::uint8_t> window,
                                                    const VerifyImage& verify);

/// Whether the slot of an approved image holds exactly the bytes of `file`.
[[nodiscard]] bool slot_holds(std::span<const std::uint8_t> window, boot::Slot slot,
                              std::span<const std::uint8_t> file);

[[nodiscard]] std::string slot_letter(boot::Slot slot);

}  // namespace otasim::scenario
