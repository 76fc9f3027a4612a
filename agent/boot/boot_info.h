// What the bootloader tells the application it starts, in RAM that start-up code leaves alone.
//
// The application learns from it which slot it was loaded from and why the device was reset. It is advice
// about this boot, not authority: what may be committed is decided by boot control and the bootloader.
#pragma once

#include <array>
#include <cstdint>

namespace boot {

enum class Slot : std::uint8_t { kA = 0, kB = 1, kRecovery = 2, kNone = 0xFF };

enum class ResetReason : std::uint32_t { kPowerOn = 0, kSoftware = 1, kWatchdog = 2 };

/// What the running image is to this device.
enum class ImageState : std::uint8_t {
  kCommitted = 0,
  kTrial = 1,     ///< waits to be accepted
  kAccepted = 2,  ///< accepted, and not committed yet: boot control or OTP did not let the bootloader finish
  kRecovery = 3,
};

struct BootInfo {
  static constexpr std::uint32_t kMagic = 0x4F4E'4942;  // "BINO"

  std::uint32_t magic;
  Slot slot;
  ImageState image_state;
  std::uint8_t attempt;  ///< how often this image was started on trial, this time included; 0 outside a trial
  std::uint8_t reserved;
  ResetReason reset_reason;
  std::uint32_t image_address;      ///< where the verified image (its header) stands in RAM
  std::uint32_t image_size;         ///< bytes of it, TLVs included
  std::uint32_t trial_deadline_ms;  ///< the watchdog's limit, counted from the jump; 0 outside a trial
  std::array<std::uint8_t, 32> digest;
  std::uint32_t crc32;  ///< of all fields above
};

}  // namespace boot
