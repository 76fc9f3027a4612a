#include "qemu_boards/emcraft_sf2/spi_nor_flash.h"

#include <algorithm>
#include <array>

#include "pal_sim/flash/flash_map.h"

namespace emcraft_sf2 {
namespace {

using flash::Status;

// Commands (S25FL128S data sheet, "Command set summary").
constexpr std::uint8_t kReadIdentity = 0x9F;
constexpr std::uint8_t kReadStatus = 0x05;
constexpr std::uint8_t kWriteEnable = 0x06;
constexpr std::uint8_t kPageProgram = 0x02;
constexpr std::uint8_t kSectorErase = 0xD8;
constexpr std::uint8_t kRead = 0x03;

// Status register.
constexpr std::uint8_t kBusy = 1U << 0;          // WIP
constexpr std::uint8_t kWriteEnabled = 1U << 1;  // WEL

/// Manufacturer, device (two bytes), bytes that follow, sectors of 64 KiB.
constexpr std::array<std::uint8_t, 5> kIdentity{0x01, 0x20, 0x18, 0x03, 0x01};

constexpr flash::Geometry kPart = flash::kSpiNorPart;
constexpr std::size_t kAddressedCommandSize = 4;
constexpr std::size_t kMaxRead = SpiBus::kMaxTransaction - kAddressedCommandSize;

/// Reads of the status before a chip counts as stuck. Each takes at least a microsecond on the bus; an erase
/// takes 2.6 s at most.
constexpr std::uint32_t kMaxPolls = 5'000'000;

std::array<std::uint8_t, kAddressedCommandSize> addressed(std::uint8_t command, std::uint32_t address) {
  return {command, static_cast<std::uint8_t>(address >> 16), static_cast<std::uint8_t>(address >> 8),
          static_cast<std::uint8_t>(address)};
}

bool is_inside(std::uint32_t size, std::uint32_t offset, std::size_t length) {
  return offset <= size && length <= size - offset;
}

/// Bytes from `address` to the end of its page.
std::size_t room_in_page(std::uint32_t address) {
  return kPart.page_size - address % kPart.page_size;
}

}  // namespace

flash::Geometry SpiNorFlash::geometry() const {
  return kPart;
}

Status SpiNorFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!is_present()) return Status::kNoDevice;
  if (!is_inside(kPart.size, offset, out.size())) return Status::kOutOfRange;
  return read_cells(offset, out);
}

Status SpiNorFlash::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  if (!is_present()) return Status::kNoDevice;
  if (!is_inside(kPart.size, offset, data.size())) return Status::kOutOfRange;
  if (data.size() > room_in_page(offset)) return Status::kUnaligned;
  return program_page(offset, data);
}

Status SpiNorFlash::erase_sector(std::uint32_t offset) {
  if (!is_present()) return Status::kNoDevice;
  if (!is_inside(kPart.size, offset, kPart.sector_size)) return Status::kOutOfRange;
  if (offset % kPart.sector_size != 0) return Status::kUnaligned;
  return change(kSectorErase, offset, {}, Status::kEraseFailed);
}

Status SpiNorFlash::lock(std::uint32_t /*offset*/, std::uint32_t /*length*/) {
  return Status::kBadCommand;
}

Status SpiNorFlash::otp_read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!is_present()) return Status::kNoDevice;
  if (!is_inside(kPart.otp_size, offset, out.size())) return Status::kOutOfRange;
  return read_cells(flash::kOtpOffset + offset, out);
}

/// Page by page, from the front: what power loss leaves is what a burn cut at that byte would.
Status SpiNorFlash::otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  if (!is_present()) return Status::kNoDevice;
  if (data.size() > kPart.page_size || !is_inside(kPart.otp_size, offset, data.size()))
    return Status::kOutOfRange;
  std::uint32_t address = flash::kOtpOffset + offset;
  while (!data.empty()) {
    const auto part = data.first(std::min(data.size(), room_in_page(address)));
    const Status status = program_page(address, part);
    if (status != Status::kOk) return status;
    data = data.subspan(part.size());
    address += static_cast<std::uint32_t>(part.size());
  }
  return Status::kOk;
}

Status SpiNorFlash::otp_lock() {
  return Status::kBadCommand;
}

Status SpiNorFlash::entropy(std::span<std::uint8_t> out) {
  return seed_.fill(out);
}

/// A chip that was erasing when the processor was reset is still at it.
bool SpiNorFlash::is_present() {
  if (is_identified_) return true;
  std::array<std::uint8_t, kIdentity.size()> identity{};
  is_identified_ =
      wait_until_ready() && bus_.transfer(std::array{kReadIdentity}, {}, identity) && identity == kIdentity;
  return is_identified_;
}

bool SpiNorFlash::read_status(std::uint8_t& status) {
  return bus_.transfer(std::array{kReadStatus}, {}, {&status, 1});
}

bool SpiNorFlash::wait_until_ready() {
  for (std::uint32_t i = 0; i < kMaxPolls; ++i) {
    std::uint8_t status = 0;
    if (!read_status(status)) return false;
    if ((status & kBusy) == 0) return true;
  }
  return false;
}

Status SpiNorFlash::read_cells(std::uint32_t address, std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto part = out.first(std::min(out.size(), kMaxRead));
    if (!bus_.transfer(addressed(kRead, address), {}, part)) return Status::kNoDevice;
    out = out.subspan(part.size());
    address += static_cast<std::uint32_t>(part.size());
  }
  return Status::kOk;
}

Status SpiNorFlash::program_page(std::uint32_t address, std::span<const std::uint8_t> data) {
  if (data.empty()) return Status::kOk;
  return change(kPageProgram, address, data, Status::kProgramFailed);
}

/// One program or erase. A chip that does not let itself be enabled, or is not ready in time, failed at it.
Status SpiNorFlash::change(std::uint8_t command, std::uint32_t address, std::span<const std::uint8_t> data,
                           Status failure) {
  if (!bus_.transfer(std::array{kWriteEnable}, {}, {})) return Status::kNoDevice;
  std::uint8_t status = 0;
  if (!read_status(status)) return Status::kNoDevice;
  if ((status & kWriteEnabled) == 0) return failure;
  if (!bus_.transfer(addressed(command, address), data, {})) return Status::kNoDevice;
  return wait_until_ready() ? Status::kOk : failure;
}

}  // namespace emcraft_sf2
