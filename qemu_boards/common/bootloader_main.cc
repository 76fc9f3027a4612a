// The bootloader: one run of the boot policy, then the jump, or a halt that says why.
#include <algorithm>
#include <array>
#include <span>

#include "agent/boot/boot_info_seal.h"
#include "agent/boot/boot_policy.h"
#include "agent/boot/boot_state.h"
#include "agent/boot/console_line.h"
#include "agent/boot/rom_trust.h"
#include "agent/boot/slots.h"
#include "boot_keys.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/rom_signers.h"
#include "this_board.h"

namespace {

using crypto::Verdict;

/// Whether the image before a committed one stays bootable until the next update: OTASIM_KEEP_PREVIOUS_IMAGE.
#ifdef OTASIM_KEEP_PREVIOUS_IMAGE
constexpr boot::PreviousImage kPreviousImage = boot::PreviousImage::kKeep;
#else
constexpr boot::PreviousImage kPreviousImage = boot::PreviousImage::kErase;
#endif

constexpr boot::RomTrust make_rom_trust() {
  boot::RomTrust trust{boot::RomTrust::kMagic, boot_keys::kCodeSigningRoot.size(), boot_keys::kDeviceKey, {}};
  std::copy(boot_keys::kCodeSigningRoot.begin(), boot_keys::kCodeSigningRoot.end(),
            trust.code_signing_root.begin());
  return trust;
}

/// The linker script gives it its place.
[[gnu::section(".rom_trust"), gnu::used]] constexpr boot::RomTrust kRomTrust = make_rom_trust();
static_assert(sizeof(kRomTrust) <= family::kRomTrustSize);

void write_console(void* /*context*/, std::string_view text) {
  board::console_write(text);
}

constexpr boot::Console kConsole{write_console, nullptr};

[[noreturn]] void halt() {
  for (;;) __asm volatile("wfi");
}

/// Only a fault in the processor leads here: decide() would not have said yes. It may be gone at the next
/// boot.
[[noreturn]] void refuse() {
  boot::ConsoleLine("refused").field("reason", "second-verification-differs").send(kConsole);
  board::reset();
}

boot::BootInfo hand_over(const boot::BootDecision& decision, boot::ResetReason reason,
                         std::uint32_t load_address) {
  boot::BootInfo info{};
  info.slot = decision.slot;
  info.image_state = decision.image_state;
  info.attempt = decision.attempt;
  info.reset_reason = reason;
  info.image_address = load_address;
  info.image_size = decision.image.total_size;
  info.trial_deadline_ms = decision.is_trial() ? boot::kTrialDeadlineMs : 0;
  info.digest = decision.image.digest;
  boot::seal(info);
  return info;
}

}  // namespace

int main() {
  board::protect_memory();
  board::init();
  const boot::ResetReason reason = board::take_reset_reason();
  boot::ConsoleLine("reset")
      .field("board", board::name())
      .field("reason", boot::to_string(reason))
      .send(kConsole);

  const board::LoadRegion region = board::load_region();
  auto* load_memory =
      reinterpret_cast<std::uint8_t*>(region.bootloader_address);  // NOLINT(performance-no-int-to-ptr)
  const boot::Environment environment{.flash = board::flash(),
                                      .signers = boot_rom::kSigners,
                                      .decryption_key = boot_keys::kImageDecryptionKey,
                                      .load_memory = {load_memory, region.size},
                                      .load_address = region.address,
                                      .console = kConsole,
                                      .previous_image = kPreviousImage};
  const boot::BootDecision decision = boot::decide(environment);
  if (decision.start != Verdict::kYes) halt();
  // Read back from memory each time: a comparison that is skipped or whose register is changed leaves the
  // other.
  const volatile Verdict confirmed = boot::confirm(environment, decision);
  if (confirmed != Verdict::kYes) refuse();

  board::boot_info() = hand_over(decision, reason, region.address);
  boot::report_start(decision, kConsole);
  if (decision.is_trial()) board::watchdog_start(boot::kTrialDeadlineMs);
  if (confirmed != Verdict::kYes) refuse();
  board::open_memory(decision.is_trial());
  board::jump_to_application(region.address + decision.image.header_size,
                             region.address + decision.image.total_size);
}
