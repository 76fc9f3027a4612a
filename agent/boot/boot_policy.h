// The boot policy: which image runs, and what is made durable before it does.
//
// decide() is one boot, from reset to just before the jump: it settles boot control, finishes a commit that
// is due, tries a staged image or takes back one whose trial failed, loads the chosen image to RAM, verifies
// it there, and locks what the application must not write. confirm() then verifies the RAM copy a second
// time, from its first byte, and shares no intermediate result with the first. The caller starts an image
// only if both say yes, so that one fault in one of them - a skipped instruction, a forced return value -
// starts nothing (docs/decisions/0009). See docs/boot.md for the order of the steps and its reasons.
//
// What can go wrong: power, at any byte of any flash operation; each step can be done again, and the next
// boot carries on. Flash that fails: a trial that cannot be recorded is not started, a commit that cannot be
// finished is tried again at the next boot, and the image that runs is always one that just verified. If none
// does, the decision is to halt.
#pragma once

#include <cstdint>
#include <span>

#include "agent/boot/boot_info.h"
#include "agent/boot/console_line.h"
#include "agent/boot/image.h"
#include "pal_sim/flash/flash_driver.h"

namespace boot {

/// How long an image on trial has to accept itself, counted from the jump. At least twenty times the slowest
/// boot and connection on a busy host.
inline constexpr std::uint32_t kTrialDeadlineMs = 60'000;

/// What becomes of the image before a committed one.
enum class PreviousImage : std::uint8_t {
  kErase,  ///< its first sector is erased with the commit: it never starts again
  kKeep,   ///< it stays until the next update is received, and starts, counter permitting, should the
           ///< committed one no longer verify
};

/// What a board gives to the policy.
struct Environment {
  flash::FlashDriver& flash;
  std::span<const image::PublicKey> signers;     ///< in ROM
  const crypto::P256PrivateKey& decryption_key;  ///< in ROM
  std::span<std::uint8_t> load_memory;           ///< the load region, writable
  std::uint32_t load_address;                    ///< the CPU's address of load_memory
  Console console;
  PreviousImage previous_image = PreviousImage::kErase;
};

struct BootDecision {
  crypto::Verdict start = crypto::Verdict::kNo;  ///< kNo: halt, the reason was printed
  Slot slot = Slot::kNone;
  ImageState image_state = ImageState::kCommitted;
  std::uint8_t attempt = 0;  ///< as BootInfo has it
  image::Info image;         ///< verified; it fills the beginning of load_memory

  [[nodiscard]] bool is_trial() const { return image_state == ImageState::kTrial; }
};

/// Runs the policy once. If it says start, the image is in load memory and the locks are set.
[[nodiscard]] BootDecision decide(const Environment& environment);

/// Judges the plain image that fills `copy`: everything that decides whether it may start from `slot`.
/// decide() and confirm() ask it, and a secure world that is asked to record an image as verified.
/// @returns kOk and the verified `info`, or the first check that failed
[[nodiscard]] image::VerifyStatus judge(const Environment& environment, Slot slot,
                                        std::span<const std::uint8_t> copy, image::Info& info);

/// Verifies what decide() put into load memory once more: form, hash, signature, kind and security counter.
/// @returns kYes if all of it holds and it is the image decide() spoke of
[[nodiscard]] crypto::Verdict confirm(const Environment& environment, const BootDecision& decision);

/// The boot report's last line: what is started now. Of an image on trial, with kTrialDeadlineMs.
void report_start(const BootDecision& decision, const Console& console);

}  // namespace boot
