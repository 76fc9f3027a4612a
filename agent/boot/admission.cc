#include "agent/boot/admission.h"

#include "agent/boot/security_counter.h"

namespace boot {

image::VerifyStatus check_admission(flash::FlashDriver& flash, Slot slot, const image::Info& info) {
  using image::VerifyStatus;
  const image::Kind kind = slot == Slot::kRecovery ? image::Kind::kRecovery : image::Kind::kApplication;
  if (info.kind != kind) return VerifyStatus::kWrongKind;
  std::uint32_t floor = 0;
  if (read_floor(flash, kind, floor) != flash::Status::kOk) return VerifyStatus::kFlashError;
  if (info.security_counter < floor) return VerifyStatus::kCounterTooLow;
  if (info.security_counter > kMaxSecurityCounter) return VerifyStatus::kCounterTooHigh;
  return VerifyStatus::kOk;
}

}  // namespace boot
