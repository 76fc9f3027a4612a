// The security counter's floor: what no downgrade gets below, kept in the flash part's OTP bank.
//
// OTP bits only ever go from 1 to 0, so the floor is unary. Each step has four bits of its own, and counts
// when at least three of them are 0: neither a bit that fails to clear nor two that clear by themselves
// change the floor, which would lock out the committed image for good. The first part of the bank counts for
// applications, the second for recovery images; what follows is key_revocation.h's.
//
//   floor v  =  v steps are 0, in order: the low half of byte 0, its high half, the low half of byte 1, ...
//
// A power cut inside a burn leaves a floor between the old and the new one, never above; burning the same
// value again finishes it.
#pragma once

#include <cstdint>

#include "agent/boot/image_format.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/flash_map.h"

namespace boot {

inline constexpr std::uint32_t kFloorBankSize = 480;

/// Counters above this cannot be burned; such images are never started.
inline constexpr std::uint32_t kMaxSecurityCounter = kFloorBankSize * 2;

/// Reads the floor for images of `kind`.
/// @returns what FlashDriver::otp_read returns; `floor` is set only with kOk
[[nodiscard]] flash::Status read_floor(flash::FlashDriver& flash, image::Kind kind, std::uint32_t& floor);

/// Burns the floor up to `counter`, also if it reads as high already: bits of a burn that was cut may be
/// weak.
/// @returns kOk, kOutOfRange (counter above kMaxSecurityCounter; nothing is burned), or what otp_program
///          returns
[[nodiscard]] flash::Status burn_floor(flash::FlashDriver& flash, image::Kind kind, std::uint32_t counter);

}  // namespace boot
