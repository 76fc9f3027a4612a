// The services of an update over a journal that this program writes itself.
//
// It judges states, not callers: that the image which accepts itself is the one on trial is for the caller to
// know (pal.cc, and the gateway of boards with TrustZone).
#pragma once

#include "agent/boot/boot_control.h"
#include "agent/boot/update_service.h"

namespace boot {

class LocalUpdateService final : public UpdateService {
 public:
  explicit LocalUpdateService(flash::FlashDriver& flash) : flash_(flash), control_(flash) {}

  [[nodiscard]] flash::Status start() override { return control_.load(); }
  [[nodiscard]] const BootState& state() const override { return control_.state(); }
  /// Whether the state in force reads the same at every later boot.
  [[nodiscard]] bool is_settled() const { return control_.is_settled(); }
  /// Kind and security counter; hash and signature are the bootloader's to verify.
  [[nodiscard]] image::VerifyStatus check(Slot slot, const image::Info& image) override;
  [[nodiscard]] Transition begin_receive(std::string_view job_id, Slot slot) override;
  [[nodiscard]] Transition finish(const image::Info& image) override;
  [[nodiscard]] Transition accept() override;
  [[nodiscard]] Transition reject() override;

 private:
  [[nodiscard]] Transition append(const std::optional<BootState>& next);

  flash::FlashDriver& flash_;
  BootControl control_;
};

}  // namespace boot
