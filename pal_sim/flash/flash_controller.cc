#include "pal_sim/flash/flash_controller.h"

#include <algorithm>
#include <cstdint>

namespace flash {

void FlashController::ring() {
  if (!model_.powered()) return;
  const Window window = model_.window();
  if (is_busy()) {
    write_register(window, controller::kRegBusyStatus, static_cast<std::uint32_t>(Status::kBadCommand));
    return answer(Status::kBusy);
  }
  const std::uint32_t command = read_register(window, controller::kRegCommand);
  const Status status = run(command);
  if (!model_.powered()) return;
  const std::uint32_t time = time_of(command, status);
  if (time == 0) return answer(status);
  write_register(window, controller::kRegBusyLeft, time);
  write_register(window, controller::kRegBusyStatus, static_cast<std::uint32_t>(status));
  answer(Status::kBusy);
}

void FlashController::set_busy_times(const BusyTimes& times) {
  if (!times.any()) advance(UINT32_MAX);
  busy_ = times;
}

void FlashController::advance(std::uint32_t instructions) {
  if (!is_busy() || !model_.powered()) return;
  const Window window = model_.window();
  const std::uint32_t left = read_register(window, controller::kRegBusyLeft);
  write_register(window, controller::kRegBusyLeft, left - std::min(left, instructions));
  if (left > instructions) return;
  write_register(window, controller::kRegStatus, read_register(window, controller::kRegBusyStatus));
}

bool FlashController::is_busy() const {
  // Without busy times nobody counts instructions, and what stands in the register is no time.
  return busy_.any() && read_register(model_.window(), controller::kRegBusyLeft) != 0;
}

/// A refused command takes no time; one that failed does.
std::uint32_t FlashController::time_of(std::uint32_t command, Status status) const {
  if (status != Status::kOk && status != Status::kProgramFailed && status != Status::kEraseFailed) return 0;
  switch (command) {
    case controller::kProgram:
    case controller::kOtpProgram:
      return busy_.program_instructions;
    case controller::kEraseSector:
    case controller::kEraseBlock:
      return busy_.erase_instructions;
    default:
      return 0;
  }
}

void FlashController::answer(Status status) {
  write_register(model_.window(), controller::kRegStatus, static_cast<std::uint32_t>(status));
  // A doorbell without a new command then says so, instead of repeating the last one.
  write_register(model_.window(), controller::kRegCommand, controller::kNone);
}

Status FlashController::run(std::uint32_t command) {
  const Window window = model_.window();
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
    case controller::kEraseBlock:
      return model_.execute({.kind = static_cast<OpKind>(command), .offset = offset});
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
