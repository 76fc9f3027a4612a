// Flash driver: talks to the flash controller at the end of the memory-mapped window
// (pal_sim/flash/controller_registers.h).
#include "qemu_boards/mps2/controller_flash.h"

#include <algorithm>
#include <cstring>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/armv7m.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/this_board.h"

namespace mps2 {
namespace {

namespace controller = flash::controller;
using flash::Status;

constexpr std::uint32_t kRegisters = kBoard.flash_window + flash::kRegistersOffset;

volatile std::uint32_t& controller_reg(controller::Register r) {
  return armv7m::reg(kRegisters + r);
}

volatile std::uint8_t* bytes_at(std::uint32_t window_offset) {
  return reinterpret_cast<volatile std::uint8_t*>(kBoard.flash_window + window_offset);  // NOLINT
}

constexpr flash::Geometry kPart = flash::kControllerPart;

/// Reads of STATUS before a part counts as stuck: some five seconds at 25 MHz, and an erase of 64 KiB takes
/// two at most.
constexpr std::uint32_t kMaxPolls = 20'000'000;

/// Whether a controller is there, and its part the one that this driver was built for.
bool identify() {
  return controller_reg(controller::kRegId) == controller::kId &&
         controller_reg(controller::kRegVersion) == controller::kVersion &&
         controller_reg(controller::kRegArraySize) == kPart.size &&
         controller_reg(controller::kRegSectorSize) == kPart.sector_size &&
         controller_reg(controller::kRegBlockSize) == kPart.block_size &&
         controller_reg(controller::kRegPageSize) == kPart.page_size &&
         controller_reg(controller::kRegOtpSize) == kPart.otp_size &&
         controller_reg(controller::kRegFeatures) == controller::features_of(kPart);
}

bool is_inside(std::uint32_t size, std::uint32_t offset, std::size_t length) {
  return offset <= size && length <= size - offset;
}

void read_window(std::uint32_t window_offset, std::span<std::uint8_t> out) {
  std::memcpy(out.data(), const_cast<const std::uint8_t*>(bytes_at(window_offset)), out.size());
}

/// @returns STATUS once the part is ready, or kBusy if it never is
Status wait_until_ready() {
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    const auto status = static_cast<Status>(controller_reg(controller::kRegStatus));
    if (status != Status::kBusy) return status;
  }
  return Status::kBusy;
}

/// OFFSET, LENGTH and the page buffer are written.
Status run(controller::Command command) {
  // If nobody answers the doorbell, this is what is read back.
  controller_reg(controller::kRegStatus) = static_cast<std::uint32_t>(Status::kNoDevice);
  controller_reg(controller::kRegCommand) = command;
  // The doorbell. All stores above reach the controller before it, and its results are read after it.
  __asm volatile("dsb\n\t.inst.w 0xf3af80a5\n\tdsb" ::: "memory");
  return wait_until_ready();
}

}  // namespace

/// A part that was at it when the processor was reset still is: its operands must not be touched.
Status ControllerFlash::prepare() {
  if (!is_present()) return Status::kNoDevice;
  return wait_until_ready() == Status::kBusy ? Status::kBusy : Status::kOk;
}

bool ControllerFlash::is_present() {
  if (!is_identified_) is_identified_ = identify();
  return is_identified_;
}

/// Runs a command whose data goes through the page buffer.
Status ControllerFlash::run_with_data(controller::Command command, std::uint32_t offset,
                                      std::span<const std::uint8_t> data) {
  if (const Status ready = prepare(); ready != Status::kOk) return ready;
  if (data.size() > flash::kPageSize)
    return command == controller::kProgram ? Status::kUnaligned : Status::kOutOfRange;
  std::memcpy(const_cast<std::uint8_t*>(bytes_at(flash::kPageBufferOffset)), data.data(), data.size());
  controller_reg(controller::kRegOffset) = offset;
  controller_reg(controller::kRegLength) = static_cast<std::uint32_t>(data.size());
  return run(command);
}

Status ControllerFlash::run_on_range(controller::Command command, std::uint32_t offset,
                                     std::uint32_t length) {
  if (const Status ready = prepare(); ready != Status::kOk) return ready;
  controller_reg(controller::kRegOffset) = offset;
  controller_reg(controller::kRegLength) = length;
  return run(command);
}

flash::Geometry ControllerFlash::geometry() const {
  return kPart;
}

Status ControllerFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!is_present()) return Status::kNoDevice;
  if (!is_inside(kPart.size, offset, out.size())) return Status::kOutOfRange;
  read_window(offset, out);
  return Status::kOk;
}

Status ControllerFlash::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  return run_with_data(controller::kProgram, offset, data);
}

Status ControllerFlash::erase_sector(std::uint32_t offset) {
  return run_on_range(controller::kEraseSector, offset, kPart.sector_size);
}

Status ControllerFlash::erase_block(std::uint32_t offset) {
  return run_on_range(controller::kEraseBlock, offset, kPart.block_size);
}

Status ControllerFlash::lock(std::uint32_t offset, std::uint32_t length) {
  return run_on_range(controller::kLock, offset, length);
}

Status ControllerFlash::otp_read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!is_present()) return Status::kNoDevice;
  if (!is_inside(kPart.otp_size, offset, out.size())) return Status::kOutOfRange;
  read_window(flash::kOtpOffset + offset, out);
  return Status::kOk;
}

Status ControllerFlash::otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  return run_with_data(controller::kOtpProgram, offset, data);
}

Status ControllerFlash::otp_lock() {
  return run_on_range(controller::kOtpLock, 0, 0);
}

Status ControllerFlash::entropy(std::span<std::uint8_t> out) {
  if (!is_present()) return Status::kNoDevice;
  if (out.size() > flash::kPageSize) return Status::kOutOfRange;
  const Status status = run_on_range(controller::kEntropy, 0, static_cast<std::uint32_t>(out.size()));
  if (status == Status::kOk) read_window(flash::kPageBufferOffset, out);
  return status;
}

}  // namespace mps2

namespace board {

flash::FlashDriver& flash() {
  static mps2::ControllerFlash driver;
  return driver;
}

}  // namespace board
