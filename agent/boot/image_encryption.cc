#include "agent/boot/image_encryption.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace boot::image {

std::optional<crypto::Aes128Key> open_image_key(std::span<const std::uint8_t, kEncryptedKeySize> tlv,
                                                const crypto::P256PrivateKey& key) {
  constexpr std::string_view kInfo = "MCUBoot_ECIES_v1";
  crypto::P256PublicKey ephemeral;
  std::ranges::copy(tlv.first<65>(), ephemeral.begin());
  const auto tag = tlv.subspan<65, 32>();
  const auto encrypted = tlv.last<16>();

  const auto shared = crypto::p256_shared_secret(key, ephemeral);
  if (!shared) return std::nullopt;
  std::array<std::uint8_t, 16 + 32> derived{};
  crypto::hkdf_sha256(*shared, {reinterpret_cast<const std::uint8_t*>(kInfo.data()), kInfo.size()}, derived);
  const auto mac_key = std::span(derived).last<32>();
  if (!crypto::equal_constant_time(crypto::hmac_sha256(mac_key, encrypted), tag)) return std::nullopt;

  crypto::Aes128Key encryption_key;
  std::copy_n(derived.begin(), encryption_key.size(), encryption_key.begin());
  crypto::Aes128Key payload_key;
  std::ranges::copy(encrypted, payload_key.begin());
  crypto::aes128_ctr(encryption_key, payload_key);
  return payload_key;
}

}  // namespace boot::image
