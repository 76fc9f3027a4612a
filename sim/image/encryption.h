// MCUboot's encrypted images on the host, over OpenSSL: ECIES-P256 around a random AES-128-CTR key.
//
// Written apart from the bootloader's own (agent/boot/image_encryption.h), as the rest of this folder is.
#pragma once

#include <span>

#include "sim/base/result.h"
#include "sim/crypto/key.h"

namespace otasim::image {

/// Encrypts `payload` in place under a new key. @returns that key's TLV value for the owner of `recipient`
[[nodiscard]] Result<crypto::Bytes> encrypt_payload(std::span<std::uint8_t> payload,
                                                    const crypto::P256Key& recipient);

/// Opens it again. @returns kFailed, saying why, if the TLV was not made for `own`
[[nodiscard]] Result<void> decrypt_payload(std::span<std::uint8_t> payload,
                                           std::span<const std::uint8_t> key_tlv, const crypto::P256Key& own);

}  // namespace otasim::image
