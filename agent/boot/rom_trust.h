// What the boot ROM lends to whoever serves the application: the device key and the root of code signers.
//
// Both stand at a fixed place of the ROM, so that no update can replace them. The keys
// that decide what boots are not here: the bootloader keeps those to itself.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace boot {

struct RomTrust {
  static constexpr std::uint32_t kMagic = 0x5453'5254;  // "TRST" in memory
  static constexpr std::size_t kMaxCertificateSize = 1400;

  std::uint32_t magic;
  std::uint32_t code_signing_root_size;
  std::array<std::uint8_t, 32> device_key;                          ///< seals provisioning
  std::array<std::uint8_t, kMaxCertificateSize> code_signing_root;  ///< X.509, DER

  [[nodiscard]] std::span<const std::uint8_t> root_certificate() const {
    return std::span(code_signing_root).first(code_signing_root_size);
  }
};

}  // namespace boot
