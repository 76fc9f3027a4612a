#include "pal_sim/provisioning/seal.h"

#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>

namespace provisioning {
namespace {

// The expanded key, which goes when this does.
class Gcm {
 public:
  Gcm() { mbedtls_gcm_init(&context_); }
  ~Gcm() { mbedtls_gcm_free(&context_); }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  [[nodiscard]] bool set_key(DeviceKey key) {
    return mbedtls_gcm_setkey(&context_, MBEDTLS_CIPHER_ID_AES, key.data(), kDeviceKeySize * 8) == 0;
  }
  [[nodiscard]] mbedtls_gcm_context* get() { return &context_; }

 private:
  mbedtls_gcm_context context_;
};

}  // namespace

bool seal(DeviceKey key, Nonce nonce, std::span<const std::uint8_t> associated, std::span<std::uint8_t> text,
          std::span<std::uint8_t, kSealTagSize> tag) {
  Gcm gcm;
  return gcm.set_key(key) &&
         mbedtls_gcm_crypt_and_tag(gcm.get(), MBEDTLS_GCM_ENCRYPT, text.size(), nonce.data(), nonce.size(),
                                   associated.data(), associated.size(), text.data(), text.data(), tag.size(),
                                   tag.data()) == 0;
}

bool unseal(DeviceKey key, Nonce nonce, std::span<const std::uint8_t> associated,
            std::span<std::uint8_t> text, std::span<const std::uint8_t, kSealTagSize> tag) {
  Gcm gcm;
  const bool is_authentic =
      gcm.set_key(key) &&
      mbedtls_gcm_auth_decrypt(gcm.get(), text.size(), nonce.data(), nonce.size(), associated.data(),
                               associated.size(), tag.data(), tag.size(), text.data(), text.data()) == 0;
  if (!is_authentic) mbedtls_platform_zeroize(text.data(), text.size());
  return is_authentic;
}

}  // namespace provisioning
