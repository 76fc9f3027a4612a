// The flash part: reads go to the memory-mapped window, commands to the controller behind its last pages
// (pal_sim/flash/controller_registers.h).
#include <algorithm>

#include "pal_sim/flash/controller_registers.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/boards.h"
#include "qemu_boards/mps2/registers.h"

namespace mps2 {
namespace {

namespace controller = flash::controller;
using flash::Status;

constexpr std::uint32_t kRegisters = kBoard.flash_window + flash::kRegistersOffset;
constexpr std::uint32_t kPageBuffer = kBoard.flash_window + flash::kPageBufferOffset;

/// Stands in STATUS while a command runs; one that is still there afterwards means that nobody answered.
constexpr std::uint32_t kNoAnswer = 0xFFFF'FFFF;

std::uint32_t read_register(controller::Register name) {
  return reg(kRegisters + name);
}
void write_register(controller::Register name, std::uint32_t value) {
  reg(kRegisters + name) = value;
}

bool is_present() {
  return read_register(controller::kRegId) == controller::kId &&
         read_register(controller::kRegVersion) == controller::kVersion;
}

/// The controller runs the command while this instruction executes; all stores before it have arrived, and no
/// load after it is done early.
void ring_doorbell() {
  asm volatile("dsb\n .inst.w 0xf3af80a5\n dsb" ::: "memory");
}
static_assert(controller::kDoorbellHalfword0 == 0xF3AF && controller::kDoorbellHalfword1 == 0x80A5);

Status run(controller::Command command, std::uint32_t offset, std::uint32_t length) {
  if (!is_present()) return Status::kNoDevice;
  write_register(controller::kRegOffset, offset);
  write_register(controller::kRegLength, length);
  write_register(controller::kRegStatus, kNoAnswer);
  write_register(controller::kRegCommand, command);
  ring_doorbell();
  const std::uint32_t status = read_register(controller::kRegStatus);
  return status <= static_cast<std::uint32_t>(Status::kNoDevice) ? static_cast<Status>(status)
                                                                 : Status::kNoDevice;
}

/// Copies from the window, by words where both ends allow it: images are hundreds of KiB.
void copy_from_window(std::uint32_t address, std::span<std::uint8_t> out) {
  std::size_t at = 0;
  if (address % 4 == 0 && reinterpret_cast<std::uintptr_t>(out.data()) % 4 == 0) {
    for (; at + 4 <= out.size(); at += 4) {
      *reinterpret_cast<volatile std::uint32_t*>(out.data() + at) = reg(address + at);
    }
  }
  for (; at < out.size(); ++at) out[at] = *reinterpret_cast<volatile std::uint8_t*>(address + at);
}

void fill_page_buffer(std::span<const std::uint8_t> data) {
  auto* buffer = reinterpret_cast<volatile std::uint8_t*>(kPageBuffer);
  for (const std::uint8_t byte : data) *buffer++ = byte;
}

class FlashPart final : public flash::FlashDriver {
 public:
  [[nodiscard]] flash::Geometry geometry() const override { return flash::kGeometry; }

  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return read_window(offset, flash::kArraySize, 0, out);
  }

  [[nodiscard]] Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return read_window(offset, flash::kOtpSize, flash::kOtpOffset, out);
  }

  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return program_with(controller::kProgram, offset, data);
  }

  [[nodiscard]] Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return program_with(controller::kOtpProgram, offset, data);
  }

  [[nodiscard]] Status erase_sector(std::uint32_t offset) override {
    return run(controller::kEraseSector, offset, 0);
  }

  [[nodiscard]] Status lock(std::uint32_t offset, std::uint32_t length) override {
    return run(controller::kLock, offset, length);
  }

  [[nodiscard]] Status otp_lock() override { return run(controller::kOtpLock, 0, 0); }

  [[nodiscard]] Status entropy(std::span<std::uint8_t> out) override {
    if (out.size() > flash::kPageSize) return Status::kOutOfRange;
    const Status status = run(controller::kEntropy, 0, static_cast<std::uint32_t>(out.size()));
    if (status == Status::kOk) copy_from_window(kPageBuffer, out);
    return status;
  }

 private:
  [[nodiscard]] static Status read_window(std::uint32_t offset, std::uint32_t size, std::uint32_t base,
                                          std::span<std::uint8_t> out) {
    if (offset > size || out.size() > size - offset) return Status::kOutOfRange;
    if (!is_present()) return Status::kNoDevice;
    copy_from_window(kBoard.flash_window + base + offset, out);
    return Status::kOk;
  }

  [[nodiscard]] static Status program_with(controller::Command command, std::uint32_t offset,
                                           std::span<const std::uint8_t> data) {
    // More than the page buffer holds crosses a page in any case; OTP has no pages but the same buffer.
    if (data.size() > flash::kPageSize) {
      return command == controller::kOtpProgram ? Status::kOutOfRange : Status::kUnaligned;
    }
    fill_page_buffer(data);
    return run(command, offset, static_cast<std::uint32_t>(data.size()));
  }
};

constinit FlashPart part;

}  // namespace
}  // namespace mps2

flash::FlashDriver& board::flash() {
  return mps2::part;
}
