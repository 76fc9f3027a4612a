// The boot policy: which image runs, and what is made durable before it does.
//
// decide() is one boot, from reset to just before the jump: it settles boot control, finishes a commit that
// is due, tries a verified image or takes back one whose trial failed, loads the chosen image to RAM,
// verifies it there, and locks what the application must not write. The caller then fills BootInfo, starts
// the watchdog for a trial, and jumps. See docs/boot.md for the order and its reasons.
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

/// What a board gives to the policy.
struct Environment {
  flash::FlashDriver& flash;
  std::span<const image::PublicKey> keys;  ///< the signers in ROM
  std::span<std::uint8_t> load_memory;     ///< the load region, writable
  std::uint32_t load_address;              ///< the CPU's address of load_memory
  Console console;
};

struct BootDecision {
  bool start = false;  ///< false: halt, the reason was printed
  Slot slot = Slot::kNone;
  bool is_trial = false;
  image::Info image;  ///< verified; it fills the beginning of load_memory
};

/// Runs the policy once. If it says start, the image is in load memory and the locks are set.
[[nodiscard]] BootDecision decide(const Environment& environment);

}  // namespace boot
