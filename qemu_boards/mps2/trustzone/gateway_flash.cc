#include "qemu_boards/mps2/trustzone/gateway_flash.h"

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/trustzone/secure_client.h"

namespace mps2 {
namespace {

using flash::Status;

Status status_of(const Answer& answer) {
  const auto refusal = static_cast<Refusal>(answer.result);
  if (refusal == Refusal::kNotAllowed) return Status::kProtected;
  if (refusal == Refusal::kBadSize || refusal == Refusal::kBadPointer) return Status::kOutOfRange;
  return static_cast<Status>(answer.result);
}

bool is_inside_array(std::uint32_t offset, std::size_t size) {
  return offset <= flash::kControllerPart.size && size <= flash::kControllerPart.size - offset;
}

}  // namespace

flash::Geometry GatewayFlash::geometry() const {
  return flash::kControllerPart;
}

Status GatewayFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!is_inside_array(offset, out.size())) return Status::kOutOfRange;
  return status_of(ask(Service::kFlashRead, offset, {}, out));
}

Status GatewayFlash::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  if (!is_inside_array(offset, data.size())) return Status::kOutOfRange;
  if (data.size() > flash::kPageSize) return Status::kUnaligned;
  return status_of(ask(Service::kFlashProgram, offset, data));
}

Status GatewayFlash::erase_sector(std::uint32_t offset) {
  if (!is_inside_array(offset, flash::kControllerPart.sector_size)) return Status::kOutOfRange;
  return status_of(ask(Service::kFlashErase, offset));
}

Status GatewayFlash::erase_block(std::uint32_t offset) {
  if (!is_inside_array(offset, flash::kControllerPart.block_size)) return Status::kOutOfRange;
  return status_of(ask(Service::kFlashEraseBlock, offset));
}

/// The secure world sets the locks, and no others.
Status GatewayFlash::lock(std::uint32_t /*offset*/, std::uint32_t /*length*/) {
  return Status::kProtected;
}

Status GatewayFlash::otp_read(std::uint32_t /*offset*/, std::span<std::uint8_t> /*out*/) {
  return Status::kProtected;
}

Status GatewayFlash::otp_program(std::uint32_t /*offset*/, std::span<const std::uint8_t> /*data*/) {
  return Status::kProtected;
}

Status GatewayFlash::otp_lock() {
  return Status::kProtected;
}

Status GatewayFlash::entropy(std::span<std::uint8_t> out) {
  return status_of(ask(Service::kEntropy, 0, {}, out));
}

}  // namespace mps2

namespace board {

flash::FlashDriver& flash() {
  static mps2::GatewayFlash driver;
  return driver;
}

}  // namespace board
