// Makes, reads and verifies images on the host, over OpenSSL.
//
// Written apart from the bootloader's own parser on purpose: what one makes the other must accept, and the
// oracle that judges a device's flash shares no code with the device. The format is in image_format.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/boot/image_format.h"
#include "sim/base/result.h"
#include "sim/crypto/key.h"
#include "sim/image/version.h"

namespace otasim::image {

using crypto::Bytes;

struct SignOptions {
  Version version;
  std::uint32_t security_counter = 1;
  std::uint32_t load_address = 0;
  std::uint16_t header_size = boot::image::kDefaultHeaderSize;
  boot::image::Kind kind = boot::image::Kind::kApplication;
  std::uint32_t revoked_keys = 0;               ///< bit n: the commit revokes signer n of the ROM
  const crypto::P256Key* encrypt_to = nullptr;  ///< the ROM's image-encryption key; null: not encrypted
};

/// Puts header and TLVs around `payload`, signs it, and encrypts the payload if asked to. An encrypted
/// payload is first filled up with zeros to AES's 16 bytes, as MCUboot's tool does.
[[nodiscard]] Result<Bytes> sign(std::span<const std::uint8_t> payload, const SignOptions& options,
                                 const crypto::P256Key& key);

/// Signs an image of exactly `total_size` bytes: the payload is filled up with 0xFF.
/// @returns kUsage, naming the smallest size, if `total_size` is too small for the payload; kInternal for an
///          image to encrypt, whose sizes come in steps
[[nodiscard]] Result<Bytes> sign_to_size(std::span<const std::uint8_t> payload, const SignOptions& options,
                                         const crypto::P256Key& key, std::size_t total_size);

/// What an image says of itself. Nothing in it is proven until verify().
struct Info {
  Version version;
  std::uint32_t load_address = 0;
  std::uint16_t header_size = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t total_size = 0;  ///< header, payload and all TLVs
  std::uint32_t flags = 0;
  std::uint32_t signed_size = 0;  ///< how much of it hash and signature cover
  std::optional<std::uint32_t> security_counter;
  std::optional<Bytes> sha256;
  std::optional<Bytes> key_hash;
  std::optional<Bytes> signature;
  std::optional<std::uint32_t> kind;          ///< a boot::image::Kind; none: an application
  std::optional<std::uint32_t> revoked_keys;  ///< bit n: signer n
  std::optional<Bytes> encrypted_key;

  [[nodiscard]] bool is_encrypted() const { return (flags & boot::image::kFlagEncryptedAes128) != 0; }
};

/// Reads an image at the start of `bytes`; more may follow it.
/// @returns kUsage, saying which part is wrong, if there is none
[[nodiscard]] Result<Info> parse(std::span<const std::uint8_t> bytes);

/// Checks hash, key and signature of the image at the start of `bytes`.
/// @param decryption_key  opens an encrypted image; null: an encrypted image fails
/// @returns its description, or kFailed saying what does not hold (kUsage if it is no image)
[[nodiscard]] Result<Info> verify(std::span<const std::uint8_t> bytes, const crypto::P256Key& key,
                                  const crypto::P256Key* decryption_key = nullptr);

}  // namespace otasim::image
