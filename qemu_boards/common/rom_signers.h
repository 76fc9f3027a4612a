// Whose images the bootloader starts. For the programs that stand in the boot ROM.
#pragma once

#include <array>

#include "agent/boot/image.h"
#include "boot_keys.h"

namespace boot_rom {

inline constexpr std::array<boot::image::PublicKey, 2> kSigners{
    {{boot_keys::kSigner0, boot_keys::kSigner0Hash}, {boot_keys::kSigner1, boot_keys::kSigner1Hash}}};

}  // namespace boot_rom
