// Sealing: authenticated encryption under the device key, AES-256-GCM.
//
// The key has no other use, so it is the cipher's key as it stands. Two different texts must never be sealed
// under one key and nonce: whoever saw both would know how they differ, and could forge a third. Give every
// seal() 12 random bytes.
//
// mbedTLS takes memory for the cipher, so on a device its memory must have been handed over before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace provisioning {

inline constexpr std::size_t kDeviceKeySize = 32;
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kSealTagSize = 16;

using DeviceKey = std::span<const std::uint8_t, kDeviceKeySize>;
using Nonce = std::span<const std::uint8_t, kNonceSize>;

/// Encrypts `text` in place.
/// @param associated  travels in clear and is authenticated with it
/// @param tag         gets the proof of both
/// @returns false if there is no memory; `text` is then not to be used
[[nodiscard]] bool seal(DeviceKey key, Nonce nonce, std::span<const std::uint8_t> associated,
                        std::span<std::uint8_t> text, std::span<std::uint8_t, kSealTagSize> tag);

/// Decrypts `text` in place. How long it takes does not tell where a tag is wrong.
/// @returns false if anything differs from what was sealed, or there is no memory; nothing of the clear text
///          is left in `text` then
[[nodiscard]] bool unseal(DeviceKey key, Nonce nonce, std::span<const std::uint8_t> associated,
                          std::span<std::uint8_t> text, std::span<const std::uint8_t, kSealTagSize> tag);

}  // namespace provisioning
