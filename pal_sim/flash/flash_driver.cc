#include "pal_sim/flash/flash_driver.h"

#include <algorithm>

namespace flash {

const char* to_string(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kOutOfRange:
      return "out-of-range";
    case Status::kUnaligned:
      return "unaligned";
    case Status::kProtected:
      return "protected";
    case Status::kProgramFailed:
      return "program-failed";
    case Status::kEraseFailed:
      return "erase-failed";
    case Status::kBadCommand:
      return "bad-command";
    case Status::kNoDevice:
      return "no-device";
    case Status::kBusy:
      return "busy";
  }
  return "unknown status";
}

Status program_range(FlashDriver& flash, std::uint32_t offset, std::span<const std::uint8_t> data) {
  const Geometry geometry = flash.geometry();
  if (offset > geometry.size || data.size() > geometry.size - offset) return Status::kOutOfRange;
  while (!data.empty()) {
    const std::size_t room = geometry.page_size - offset % geometry.page_size;
    const std::size_t length = std::min(room, data.size());
    const Status status = flash.program(offset, data.first(length));
    if (status != Status::kOk) return status;
    data = data.subspan(length);
    offset += static_cast<std::uint32_t>(length);
  }
  return Status::kOk;
}

Status FlashDriver::erase_block(std::uint32_t offset) {
  const Geometry part = geometry();
  if (offset > part.size || part.block_size > part.size - offset) return Status::kOutOfRange;
  if (offset % part.block_size != 0) return Status::kUnaligned;
  for (std::uint32_t done = 0; done < part.block_size; done += part.sector_size) {
    const Status status = erase_sector(offset + done);
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

Status erase_range(FlashDriver& flash, std::uint32_t offset, std::uint32_t length) {
  const Geometry geometry = flash.geometry();
  if (offset > geometry.size || length > geometry.size - offset) return Status::kOutOfRange;
  if (offset % geometry.sector_size != 0 || length % geometry.sector_size != 0) return Status::kUnaligned;
  const bool has_blocks = geometry.block_size > geometry.sector_size;
  while (length != 0) {
    const bool is_block = has_blocks && offset % geometry.block_size == 0 && length >= geometry.block_size;
    const Status status = is_block ? flash.erase_block(offset) : flash.erase_sector(offset);
    if (status != Status::kOk) return status;
    const std::uint32_t erased = is_block ? geometry.block_size : geometry.sector_size;
    offset += erased;
    length -= erased;
  }
  return Status::kOk;
}

}  // namespace flash
