#include "pal_sim/flash/window.h"

#include <algorithm>
#include <cstring>

namespace flash {
namespace {

constexpr std::uint32_t kRegistersSize = kPageBufferOffset - kRegistersOffset;
constexpr std::uint32_t kLockTableSize = controller::kMaxLocks * 8;
static_assert(controller::kRegLocks + kLockTableSize <= kRegistersSize);
static_assert(kPageBufferOffset + kPageSize <= kWindowSize);
static_assert(kOtpOffset + kOtpSize <= kRegistersOffset);

void fill(Window window, std::uint32_t offset, std::uint32_t length, std::uint8_t value) {
  // Not std::ranges::fill: under sanitizers that checks 16 million bytes one by one, in every test.
  std::memset(window.subspan(offset, length).data(), value, length);
}

}  // namespace

std::uint32_t read_register(ConstWindow window, std::uint32_t reg) {
  const auto word = window.subspan(kRegistersOffset + reg, 4);
  return static_cast<std::uint32_t>(word[0]) | static_cast<std::uint32_t>(word[1]) << 8 |
         static_cast<std::uint32_t>(word[2]) << 16 | static_cast<std::uint32_t>(word[3]) << 24;
}

void write_register(Window window, std::uint32_t reg, std::uint32_t value) {
  const auto word = window.subspan(kRegistersOffset + reg, 4);
  word[0] = static_cast<std::uint8_t>(value);
  word[1] = static_cast<std::uint8_t>(value >> 8);
  word[2] = static_cast<std::uint8_t>(value >> 16);
  word[3] = static_cast<std::uint8_t>(value >> 24);
}

void format_window(Window window, const Geometry& part) {
  fill(window, 0, kRegistersOffset, 0xFF);
  fill(window, kRegistersOffset, kWindowSize - kRegistersOffset, 0);
  write_register(window, controller::kRegId, controller::kId);
  write_register(window, controller::kRegVersion, controller::kVersion);
  write_register(window, controller::kRegArraySize, part.size);
  write_register(window, controller::kRegSectorSize, part.sector_size);
  write_register(window, controller::kRegBlockSize, part.block_size);
  write_register(window, controller::kRegPageSize, part.page_size);
  write_register(window, controller::kRegOtpSize, part.otp_size);
  write_register(window, controller::kRegFeatures, controller::features_of(part));
}

std::optional<Geometry> part_of(ConstWindow window) {
  if (window.size() != kWindowSize || read_register(window, controller::kRegId) != controller::kId ||
      read_register(window, controller::kRegVersion) != controller::kVersion) {
    return std::nullopt;
  }
  const auto is_this = [window](const Geometry& part) {
    return read_register(window, controller::kRegArraySize) == part.size &&
           read_register(window, controller::kRegSectorSize) == part.sector_size &&
           read_register(window, controller::kRegBlockSize) == part.block_size &&
           read_register(window, controller::kRegPageSize) == part.page_size &&
           read_register(window, controller::kRegOtpSize) == part.otp_size &&
           read_register(window, controller::kRegFeatures) == controller::features_of(part);
  };
  const auto* const found = std::ranges::find_if(kParts, is_this);
  if (found == kParts.end()) return std::nullopt;
  return *found;
}

void clear_volatile_state(Window window) {
  write_register(window, controller::kRegCommand, controller::kNone);
  write_register(window, controller::kRegStatus, 0);
  write_register(window, controller::kRegOffset, 0);
  write_register(window, controller::kRegLength, 0);
  write_register(window, controller::kRegBusyLeft, 0);
  write_register(window, controller::kRegBusyStatus, 0);
  clear_locks(window);
  fill(window, kPageBufferOffset, kPageSize, 0);
}

void clear_locks(Window window) {
  write_register(window, controller::kRegOtpLocked, 0);
  write_register(window, controller::kRegLockCount, 0);
  fill(window, kRegistersOffset + controller::kRegLocks, kLockTableSize, 0);
}

}  // namespace flash
