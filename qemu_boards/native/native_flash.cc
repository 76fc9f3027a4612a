#include "qemu_boards/native/native_flash.h"

namespace native {
namespace {

std::vector<std::uint8_t> make_blank_part(const flash::Geometry& part) {
  std::vector<std::uint8_t> window(flash::kWindowSize);
  flash::format_window(window, part);
  return window;
}

}  // namespace

NativeFlash::NativeFlash(std::uint64_t seed, const flash::Geometry& part)
    : window_(make_blank_part(part)), model_(window_, seed, part) {}

flash::Status NativeFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  return model_.read(offset, out);
}

flash::Status NativeFlash::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  return model_.program(offset, data);
}

flash::Status NativeFlash::erase_sector(std::uint32_t offset) {
  return model_.erase_sector(offset);
}

flash::Status NativeFlash::erase_block(std::uint32_t offset) {
  const bool has_blocks = model_.geometry().block_size > model_.geometry().sector_size;
  return has_blocks ? model_.erase_block(offset) : FlashDriver::erase_block(offset);
}

flash::Status NativeFlash::lock(std::uint32_t offset, std::uint32_t length) {
  return model_.lock(offset, length);
}

flash::Status NativeFlash::otp_read(std::uint32_t offset, std::span<std::uint8_t> out) {
  return model_.otp_read(offset, out);
}

flash::Status NativeFlash::otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  return model_.otp_program(offset, data);
}

flash::Status NativeFlash::otp_lock() {
  return model_.otp_lock();
}

flash::Status NativeFlash::entropy(std::span<std::uint8_t> out) {
  return model_.entropy(out);
}

}  // namespace native
