// A device for PAL tests: native flash with a committed 1.0.0, the bootloader's policy, and a PAL per boot.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/boot/boot_policy.h"
#include "agent/boot/local_update_service.h"
#include "pal_sim/pal/pal.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/image_builder.h"
#include "tests/pal_sim/pal/code_signer_for_tests.h"

namespace pal_test {

inline constexpr const char* kSignerName = "/lab/signer";

[[nodiscard]] const boot_test::SigningKey& image_signer();
[[nodiscard]] const CodeSigner& code_signer();
/// Signed images of 1.0.0, 1.1.0 and 1.2.0, always the same within one run.
[[nodiscard]] const Bytes& image_1_0_0();
[[nodiscard]] const Bytes& image_1_1_0();
[[nodiscard]] const Bytes& image_1_2_0();

class Device {
 public:
  /// Blank but for a committed 1.0.0 in slot A, and booted from it. One exists at a time.
  Device();

  /// Restores power and runs the bootloader; the new PAL knows what it decided. @returns false if it halts.
  [[nodiscard]] bool boot(boot::ResetReason reason = boot::ResetReason::kPowerOn);
  /// The version that runs.
  [[nodiscard]] boot::image::Version version() const { return decision_.image.version; }
  [[nodiscard]] bool is_trial() const { return decision_.is_trial(); }
  [[nodiscard]] boot::Slot running_slot() const { return decision_.slot; }
  [[nodiscard]] boot::ImageState image_state() const { return decision_.image_state; }

  [[nodiscard]] pal::Pal& pal() { return *pal_; }
  [[nodiscard]] flash::NorModel& model() { return flash_.model(); }
  [[nodiscard]] native::NativeFlash& flash() { return flash_; }
  [[nodiscard]] std::span<std::uint8_t> slot(boot::Slot slot);
  [[nodiscard]] int resets() const { return resets_; }
  [[nodiscard]] provisioning::Settings& settings() { return settings_; }
  /// What another Pal on this device works with, until the next boot.
  [[nodiscard]] pal::Platform platform(const boot::BootInfo& boot_info, pal::Reset reset);

  /// Returns the device to the state its constructor left, with cells that are firm and not worn.
  /// @param power_ons  that the part has had; decides what cells read that are left marginal from here on
  void restore(std::uint32_t power_ons = 0);

 private:
  native::NativeFlash& flash_;
  provisioning::Settings settings_;
  boot::BootInfo boot_info_{};
  boot::BootDecision decision_;
  std::vector<std::uint8_t> load_memory_ = std::vector<std::uint8_t>(64 * 1024);
  std::deque<boot::LocalUpdateService> services_;  ///< of this boot, one for each Pal
  std::optional<pal::Pal> pal_;
  int resets_ = 0;
  Bytes boot_control_snapshot_;
  Bytes otp_snapshot_;
};

/// A file context with its strings and its signature.
struct File {
  explicit File(const Bytes& content, const std::string& job = "AFR_OTA-u1");

  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void set_signature(const Bytes& bytes);
  void set_certificate(const std::string& name);

  Bytes content;
  Sig_t signature{};
  std::string job;
  std::string certificate;
  OtaFileContext_t context{};
};

/// Writes the whole content in blocks. @returns false if a block is refused.
[[nodiscard]] bool write_all(pal::Pal& pal, File& file);

[[nodiscard]] inline OtaPalMainStatus_t main_of(OtaPalStatus_t status) {
  return OTA_PAL_MAIN_ERR(status);
}

}  // namespace pal_test
