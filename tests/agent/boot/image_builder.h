// Builds signed images for tests, with OpenSSL and independently of the parser under test. Everything a
// hostile image could get wrong can be set wrong.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agent/boot/image.h"

namespace boot_test {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint32_t kLoadAddress = 0x0010'0000;

/// A P-256 signing key and its public half as the boot ROM holds it.
class SigningKey {
 public:
  SigningKey();

  [[nodiscard]] Bytes sign(const crypto::Sha256Digest& digest) const;
  [[nodiscard]] boot::image::PublicKey public_key() const { return {point_, hash_}; }
  [[nodiscard]] crypto::P256PrivateKey scalar() const;
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  crypto::P256PublicKey point_{};
  crypto::Sha256Digest hash_{};
};

struct Tlv {
  std::uint16_t type;
  Bytes value;
};

struct ImageSpec {
  boot::image::Version version{1, 0, 0, 0};
  std::optional<std::uint32_t> security_counter = 1;
  std::optional<boot::image::Kind> kind = std::nullopt;
  std::uint32_t payload_size = 300;
  std::uint32_t load_address = kLoadAddress;
  std::uint16_t header_size = boot::image::kDefaultHeaderSize;
  std::uint32_t flags = boot::image::kFlagRamLoad;
  std::vector<Tlv> more_protected = {};    ///< after the ones made from the fields above
  std::vector<Tlv> more_unprotected = {};  ///< before the digest
  bool with_key_hash = true;
  bool with_sha256 = true;
  bool with_signature = true;
  /// Encrypts the payload to this key, sets the flag, and adds the TLV.
  const SigningKey* encrypt_to = nullptr;
};

[[nodiscard]] Bytes little_endian(std::uint32_t value);

/// MCUboot's ECIES-P256 TLV: `payload_key` for the owner of `recipient`.
[[nodiscard]] Bytes seal_payload_key(const crypto::Aes128Key& payload_key, const SigningKey& recipient);

/// AES-128-CTR from zero.
void apply_ctr(const crypto::Aes128Key& key, std::span<std::uint8_t> data);

/// Builds and signs. The digest and the signature hold for whatever the spec says, however wrong that is.
[[nodiscard]] Bytes build_image(const ImageSpec& spec, const SigningKey& key);

}  // namespace boot_test
