#include "pal_sim/flash/flash_controller.h"

#include <algorithm>

namespace flash {

void FlashController::ring() {
  if (!model_.powered()) return;
  const Status status = run();
  if (!model_.powered()) return;
  write_register(model_.window(), controller::kRegStatus, static_cast<std::uint32_t>(status));
  // A doorbell without a new command then says so, instead of repeating the last one.
  write_register(model_.window(), controller::kRegCommand, controller::kNone);
}

Status FlashController::run() {
  const Window window = model_.window();
  const std::uint32_t command = read_register(window, controller::kRegCommand);
  const std::uint32_t offset = read_register(window, controller::kRegOffset);
  const std::uint32_t length = read_register(window, controller::kRegLength);
  switch (command) {
    case controller::kProgram:
    case controller::kOtpProgram: {
      // A length above a page is refused by the model before it looks at the data.
      const auto data = window.subspan(kPageBufferOffset, std::min(length, kPageSize));
      return model_.execute({static_cast<OpKind>(command), offset, length, data});
    }
    case controller::kEraseSector:
      return model_.execute({.kind = OpKind::kEraseSector, .offset = offset});
    case controller::kLock:
      return model_.execute({.kind = OpKind::kLock, .offset = offset, .length = length});
    case controller::kOtpLock:
      return model_.execute({.kind = OpKind::kOtpLock});
    case controller::kEntropy:
      return fill_entropy(length);
    default:
      return Status::kBadCommand;
  }
}

Status FlashController::fill_entropy(std::uint32_t length) {
  if (length > kPageSize) return Status::kOutOfRange;
  return model_.entropy(model_.window().subspan(kPageBufferOffset, length));
}

}  // namespace flash
