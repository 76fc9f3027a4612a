#include "sim/image/encryption.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace otasim::image {
namespace {

using crypto::P256Key;

constexpr std::size_t kPointSize = 65;
constexpr std::size_t kTagSize = 32;
constexpr std::size_t kKeySize = 16;

using AesKey = std::array<std::uint8_t, kKeySize>;
using Tag = std::array<std::uint8_t, kTagSize>;

template <auto Function>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    Function(object);
  }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

tl::unexpected<Error> openssl_failed(const char* what) {
  return fail(ExitCode::kInternal, std::string(what) + ": " + crypto::openssl_reason());
}

/// What the shared secret is made into.
struct DerivedKeys {
  AesKey encryption{};
  std::array<std::uint8_t, 32> authentication{};
};

Result<DerivedKeys> derive(EVP_PKEY* own, EVP_PKEY* peer) {
  const KeyContext exchange(EVP_PKEY_CTX_new(own, nullptr));
  std::array<std::uint8_t, 32> shared{};
  std::size_t shared_size = shared.size();
  if (EVP_PKEY_derive_init(exchange.get()) != 1 || EVP_PKEY_derive_set_peer(exchange.get(), peer) != 1 ||
      EVP_PKEY_derive(exchange.get(), shared.data(), &shared_size) != 1) {
    return openssl_failed("no shared secret");
  }
  const std::unique_ptr<EVP_KDF, Free<EVP_KDF_free>> hkdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, Free<EVP_KDF_CTX_free>> context(EVP_KDF_CTX_new(hkdf.get()));
  std::string digest = "SHA256";
  std::string info = "MCUBoot_ECIES_v1";
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared.data(), shared.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  std::array<std::uint8_t, kKeySize + 32> derived{};
  if (EVP_KDF_derive(context.get(), derived.data(), derived.size(), parameters.data()) != 1)
    return openssl_failed("HKDF");
  DerivedKeys keys;
  std::copy_n(derived.begin(), kKeySize, keys.encryption.begin());
  std::copy_n(derived.begin() + kKeySize, keys.authentication.size(), keys.authentication.begin());
  return keys;
}

Result<void> apply_ctr(const AesKey& key, std::span<std::uint8_t> data) {
  const std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>> context(EVP_CIPHER_CTX_new());
  constexpr std::array<std::uint8_t, 16> kCounter{};
  int length = 0;
  if (EVP_EncryptInit_ex2(context.get(), EVP_aes_128_ctr(), key.data(), kCounter.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), data.data(), &length, data.data(), static_cast<int>(data.size())) !=
          1) {
    return openssl_failed("AES-CTR");
  }
  return {};
}

Result<Tag> authenticate(const DerivedKeys& keys, std::span<const std::uint8_t> data) {
  Tag tag{};
  const bool ok = HMAC(EVP_sha256(), keys.authentication.data(), static_cast<int>(keys.authentication.size()),
                       data.data(), data.size(), tag.data(), nullptr) != nullptr;
  if (!ok) return openssl_failed("HMAC");
  return tag;
}

/// @returns null if the bytes are no point on the curve
PublicKey public_key_at(std::span<const std::uint8_t> point) {
  std::string group = "prime256v1";
  crypto::Bytes bytes(point.begin(), point.end());
  std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.data()) != 1) {
    static_cast<void>(crypto::openssl_reason());
    return nullptr;
  }
  return PublicKey(key);
}

}  // namespace

Result<crypto::Bytes> encrypt_payload(std::span<std::uint8_t> payload, const P256Key& recipient) {
  AesKey payload_key{};
  if (RAND_bytes(payload_key.data(), static_cast<int>(payload_key.size())) != 1)
    return openssl_failed("no random numbers");
  const Result<P256Key> ephemeral = P256Key::generate();
  if (!ephemeral) return tl::unexpected(ephemeral.error());
  const auto keys = derive(ephemeral->get(), recipient.get());
  if (!keys) return tl::unexpected(keys.error());
  AesKey encrypted = payload_key;
  if (auto applied = apply_ctr(keys->encryption, encrypted); !applied) return tl::unexpected(applied.error());
  const auto tag = authenticate(*keys, encrypted);
  if (!tag) return tl::unexpected(tag.error());
  if (auto applied = apply_ctr(payload_key, payload); !applied) return tl::unexpected(applied.error());

  crypto::Bytes tlv(kPointSize + kTagSize + kKeySize);
  // SubjectPublicKeyInfo of a P-256 key ends with the uncompressed point.
  const crypto::Bytes spki = ephemeral->public_der();
  std::copy(spki.end() - kPointSize, spki.end(), tlv.begin());
  std::copy(tag->begin(), tag->end(), tlv.begin() + kPointSize);
  std::copy(encrypted.begin(), encrypted.end(), tlv.begin() + kPointSize + kTagSize);
  return tlv;
}

Result<void> decrypt_payload(std::span<std::uint8_t> payload, std::span<const std::uint8_t> key_tlv,
                             const P256Key& own) {
  const auto refuse = [](const char* why) { return fail(ExitCode::kFailed, why); };
  if (key_tlv.size() != kPointSize + kTagSize + kKeySize)
    return refuse("the TLV with its key has a wrong size.");
  const PublicKey ephemeral = public_key_at(key_tlv.first(kPointSize));
  if (!ephemeral) return refuse("the TLV with its key holds no point of P-256.");
  const auto keys = derive(own.get(), ephemeral.get());
  if (!keys) return tl::unexpected(keys.error());
  const auto encrypted = key_tlv.last(kKeySize);
  const auto tag = authenticate(*keys, encrypted);
  if (!tag) return tl::unexpected(tag.error());
  if (CRYPTO_memcmp(tag->data(), key_tlv.data() + kPointSize, kTagSize) != 0)
    return refuse("it is encrypted to another key.");
  AesKey payload_key{};
  std::copy(encrypted.begin(), encrypted.end(), payload_key.begin());
  if (auto applied = apply_ctr(keys->encryption, payload_key); !applied) return applied;
  return apply_ctr(payload_key, payload);
}

}  // namespace otasim::image
