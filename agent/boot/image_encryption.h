// Opening the key of an encrypted image: MCUboot's ECIES-P256 TLV (0x32; "Encrypted images", "ECIES
// encryption").
//
//   ephemeral public key (65 bytes, uncompressed) | HMAC-SHA256 tag (32) | encrypted payload key (16)
//
// The secret shared by the ephemeral key and the ROM's goes through HKDF-SHA256 (no salt, info
// "MCUBoot_ECIES_v1") into 16 bytes that encrypt the payload key (AES-128-CTR from 0) and 32 that
// authenticate what they encrypted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "agent/crypto/crypto.h"

namespace boot::image {

inline constexpr std::size_t kEncryptedKeySize = 65 + 32 + 16;

/// @param tlv  the TLV's value, hostile
/// @param key  the private key in ROM
/// @returns the payload's key; nothing if the point is none or the tag does not hold
[[nodiscard]] std::optional<crypto::Aes128Key> open_image_key(
    std::span<const std::uint8_t, kEncryptedKeySize> tlv, const crypto::P256PrivateKey& key);

}  // namespace boot::image
