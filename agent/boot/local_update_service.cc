#include "agent/boot/local_update_service.h"

#include "agent/boot/admission.h"

namespace boot {

image::VerifyStatus LocalUpdateService::check(Slot slot, const image::Info& image) {
  return check_admission(flash_, slot, image);
}

Transition LocalUpdateService::begin_receive(std::string_view job_id, Slot slot) {
  return append(boot::begin_receive(state(), job_id, slot));
}

Transition LocalUpdateService::finish(const image::Info& image) {
  return append(mark_verified(state(), {.version = image.version,
                                        .security_counter = image.security_counter,
                                        .size = image.total_size,
                                        .digest = image.digest,
                                        .job_id = {}}));
}

Transition LocalUpdateService::accept() {
  return append(boot::accept(state()));
}

Transition LocalUpdateService::reject() {
  return append(boot::reject(state(), RejectReason::kRefused));
}

Transition LocalUpdateService::append(const std::optional<BootState>& next) {
  if (!next) return {};
  return {.is_allowed = true, .status = control_.append(*next)};
}

}  // namespace boot
