// The bootloader of the mps2 boards: one run of the boot policy, then the jump, or a halt that says why.
#include <algorithm>
#include <array>
#include <span>

#include "agent/boot/boot_info_seal.h"
#include "agent/boot/boot_policy.h"
#include "agent/boot/console_line.h"
#include "agent/boot/rom_trust.h"
#include "boot_keys.h"
#include "mbedtls/memory_buffer_alloc.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/memory_map.h"

namespace {

/// How long an image on trial has to accept itself, counted from the jump. At least twenty times the slowest
/// boot and connection on a busy host.
constexpr std::uint32_t kTrialDeadlineMs = 60'000;

/// Verification's multi-precision numbers live here; a P-256 verification needs about 6 KiB.
constexpr std::size_t kCryptoPoolSize = 32 * 1024;

constexpr std::array<boot::image::PublicKey, 2> kSigners{
    {{boot_keys::kSigner0, boot_keys::kSigner0Hash}, {boot_keys::kSigner1, boot_keys::kSigner1Hash}}};

constexpr boot::RomTrust make_rom_trust() {
  boot::RomTrust trust{boot::RomTrust::kMagic, boot_keys::kCodeSigningRoot.size(), boot_keys::kDeviceKey, {}};
  std::copy(boot_keys::kCodeSigningRoot.begin(), boot_keys::kCodeSigningRoot.end(),
            trust.code_signing_root.begin());
  return trust;
}

/// Read by the application through board::rom_trust(); bootloader.ld gives it its place.
[[gnu::section(".rom_trust"), gnu::used]] constexpr boot::RomTrust kRomTrust = make_rom_trust();
static_assert(sizeof(kRomTrust) <= mps2::kRomTrustSize);

void write_console(void* /*context*/, std::string_view text) {
  board::console_write(text);
}

std::string_view reason_name(boot::ResetReason reason) {
  switch (reason) {
    case boot::ResetReason::kPowerOn:
      return "power-on";
    case boot::ResetReason::kSoftware:
      return "software";
    case boot::ResetReason::kWatchdog:
      return "watchdog";
  }
  return "unknown";
}

[[noreturn]] void halt() {
  for (;;) board::wait_for_interrupt();
}

boot::BootInfo hand_over(const boot::BootDecision& decision, boot::ResetReason reason,
                         std::uint32_t load_address) {
  boot::BootInfo info{};
  info.slot = decision.slot;
  info.is_trial = decision.is_trial ? 1 : 0;
  info.reset_reason = reason;
  info.image_address = load_address;
  info.image_size = decision.image.total_size;
  info.trial_deadline_ms = decision.is_trial ? kTrialDeadlineMs : 0;
  info.digest = decision.image.digest;
  boot::seal(info);
  return info;
}

}  // namespace

int main() {
  board::init();
  static std::array<std::uint8_t, kCryptoPoolSize> crypto_pool;
  mbedtls_memory_buffer_alloc_init(crypto_pool.data(), crypto_pool.size());

  const boot::Console console{write_console, nullptr};
  const boot::ResetReason reason = board::take_reset_reason();
  boot::ConsoleLine()
      .text("boot: otasim bootloader, board ")
      .text(board::name())
      .text(", reset: ")
      .text(reason_name(reason))
      .send(console);

  const board::LoadRegion region = board::load_region();
  auto* load_memory = reinterpret_cast<std::uint8_t*>(region.address);  // NOLINT(performance-no-int-to-ptr)
  const boot::BootDecision decision =
      boot::decide({board::flash(), kSigners, {load_memory, region.size}, region.address, console});
  if (!decision.start) halt();

  board::boot_info() = hand_over(decision, reason, region.address);
  board::protect_memory();
  if (decision.is_trial) board::watchdog_start(kTrialDeadlineMs);
  board::jump_to_application(region.address + decision.image.header_size);
}
