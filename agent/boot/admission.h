// What a genuine image must be besides, to start from a slot: of the right kind, and not older than what was
// committed.
//
// The bootloader asks after it verified an image, the PAL before it stages one.
#pragma once

#include "agent/boot/boot_info.h"
#include "agent/boot/image.h"
#include "pal_sim/flash/flash_driver.h"

namespace boot {

/// @returns kOk, kWrongKind (only a recovery image starts from the recovery slot, and only from there),
/// kCounterTooLow,
///          kCounterTooHigh (it could never be committed), kFlashError (OTP cannot be read)
[[nodiscard]] image::VerifyStatus check_admission(flash::FlashDriver& flash, Slot slot,
                                                  const image::Info& info);

}  // namespace boot
