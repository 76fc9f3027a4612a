#include "tests/agent/boot/image_builder.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace boot_test {
namespace {

using namespace boot::image;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

crypto::Sha256Digest openssl_sha256(std::span<const std::uint8_t> data) {
  crypto::Sha256Digest digest{};
  SHA256(data.data(), data.size(), digest.data());
  return digest;
}

template <typename T>
void append(Bytes& out, const T& value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(bytes[i]);
}

Bytes tlv_area(std::uint16_t magic, const std::vector<Tlv>& tlvs) {
  Bytes entries;
  for (const Tlv& tlv : tlvs) {
    append(entries, TlvEntry{tlv.type, static_cast<std::uint16_t>(tlv.value.size())});
    entries.insert(entries.end(), tlv.value.begin(), tlv.value.end());
  }
  Bytes area;
  append(area, TlvInfo{magic, static_cast<std::uint16_t>(entries.size() + sizeof(TlvInfo))});
  area.insert(area.end(), entries.begin(), entries.end());
  return area;
}

template <typename Array>
Bytes bytes_of(const Array& array) {
  return {array.begin(), array.end()};
}

}  // namespace

SigningKey::SigningKey() : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free) {
  require(key_ != nullptr, "cannot make a P-256 key");
  std::size_t length = 0;
  require(EVP_PKEY_get_octet_string_param(key_.get(), "encoded-pub-key", point_.data(), point_.size(),
                                          &length) == 1,
          "cannot take the public point");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  require(size > 0, "cannot encode the public key");
  hash_ = openssl_sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
}

Bytes SigningKey::sign(const crypto::Sha256Digest& digest) const {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key_.get(), nullptr),
                                                                      &EVP_PKEY_CTX_free);
  require(EVP_PKEY_sign_init(context.get()) == 1, "cannot start signing");
  Bytes signature(80);
  std::size_t length = signature.size();
  require(EVP_PKEY_sign(context.get(), signature.data(), &length, digest.data(), digest.size()) == 1,
          "cannot sign");
  signature.resize(length);
  return signature;
}

crypto::P256PrivateKey SigningKey::scalar() const {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key_.get(), "priv", &number) == 1, "cannot take the private scalar");
  crypto::P256PrivateKey scalar{};
  require(BN_bn2binpad(number, scalar.data(), scalar.size()) == static_cast<int>(scalar.size()), "scalar");
  BN_free(number);
  return scalar;
}

void apply_ctr(const crypto::Aes128Key& key, std::span<std::uint8_t> data) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  constexpr std::array<std::uint8_t, 16> kCounter{};
  int length = 0;
  require(EVP_EncryptInit_ex2(context.get(), EVP_aes_128_ctr(), key.data(), kCounter.data(), nullptr) == 1,
          "aes");
  require(
      EVP_EncryptUpdate(context.get(), data.data(), &length, data.data(), static_cast<int>(data.size())) == 1,
      "aes");
}

Bytes seal_payload_key(const crypto::Aes128Key& payload_key, const SigningKey& recipient) {
  const SigningKey ephemeral;
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(ephemeral.key(), nullptr), &EVP_PKEY_CTX_free);
  Bytes shared(32);
  std::size_t size = shared.size();
  require(EVP_PKEY_derive_init(context.get()) == 1 &&
              EVP_PKEY_derive_set_peer(context.get(), recipient.key()) == 1 &&
              EVP_PKEY_derive(context.get(), shared.data(), &size) == 1,
          "ECDH");
  // HKDF-SHA256 without salt (RFC 5869), spelled out: extract, then two blocks of expand.
  const auto hmac = [](std::span<const std::uint8_t> key, std::span<const std::uint8_t> data) {
    std::array<std::uint8_t, 32> tag{};
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), tag.data(),
         nullptr);
    return tag;
  };
  const auto extracted = hmac(Bytes(32, 0), shared);
  constexpr std::string_view kInfo = "MCUBoot_ECIES_v1";
  std::array<std::uint8_t, 32 + kInfo.size() + 1> input{};
  std::ranges::copy(kInfo, input.begin() + 32);
  input.back() = 1;
  const auto first = hmac(extracted, std::span(input).subspan(32));
  std::ranges::copy(first, input.begin());
  input.back() = 2;
  const auto second = hmac(extracted, input);
  std::array<std::uint8_t, 64> derived{};
  std::ranges::copy(second, std::ranges::copy(first, derived.begin()).out);

  crypto::Aes128Key key_encryption{};
  std::copy_n(derived.begin(), key_encryption.size(), key_encryption.begin());
  crypto::Aes128Key encrypted = payload_key;
  apply_ctr(key_encryption, encrypted);
  const auto tag = hmac(std::span(derived).subspan(16, 32), encrypted);

  Bytes tlv(65 + 32 + 16);
  const auto after_point = std::ranges::copy(ephemeral.public_key().point, tlv.begin()).out;
  std::ranges::copy(encrypted, std::ranges::copy(tag, after_point).out);
  return tlv;
}

Bytes little_endian(std::uint32_t value) {
  Bytes out;
  append(out, value);
  return out;
}

Bytes build_image(const ImageSpec& spec, const SigningKey& key) {
  std::vector<Tlv> protected_tlvs;
  if (spec.security_counter)
    protected_tlvs.push_back({kTlvSecurityCounter, little_endian(*spec.security_counter)});
  if (spec.kind)
    protected_tlvs.push_back({kTlvImageKind, little_endian(static_cast<std::uint32_t>(*spec.kind))});
  protected_tlvs.insert(protected_tlvs.end(), spec.more_protected.begin(), spec.more_protected.end());
  const Bytes protected_area =
      protected_tlvs.empty() ? Bytes{} : tlv_area(kTlvProtectedInfoMagic, protected_tlvs);

  Bytes image;
  append(image, Header{.magic = kMagic,
                       .load_address = spec.load_address,
                       .header_size = spec.header_size,
                       .protected_tlv_size = static_cast<std::uint16_t>(protected_area.size()),
                       .image_size = spec.payload_size,
                       .flags = spec.flags | (spec.encrypt_to != nullptr ? kFlagEncryptedAes128 : 0),
                       .version = spec.version,
                       .pad = 0});
  image.resize(spec.header_size, 0);
  for (std::uint32_t i = 0; i < spec.payload_size; ++i)
    image.push_back(static_cast<std::uint8_t>(i * 31 + 7));
  image.insert(image.end(), protected_area.begin(), protected_area.end());

  const crypto::Sha256Digest digest = openssl_sha256(image);
  std::vector<Tlv> tlvs = spec.more_unprotected;
  if (spec.with_sha256) tlvs.push_back({kTlvSha256, bytes_of(digest)});
  if (spec.with_key_hash) tlvs.push_back({kTlvKeyHash, bytes_of(key.public_key().hash)});
  if (spec.with_signature) tlvs.push_back({kTlvEcdsaSignature, key.sign(digest)});
  if (spec.encrypt_to != nullptr) {
    crypto::Aes128Key payload_key{};
    require(RAND_bytes(payload_key.data(), payload_key.size()) == 1, "random");
    tlvs.push_back({kTlvEciesP256, seal_payload_key(payload_key, *spec.encrypt_to)});
    apply_ctr(payload_key, std::span(image).subspan(spec.header_size, spec.payload_size));
  }
  const Bytes area = tlv_area(kTlvInfoMagic, tlvs);
  image.insert(image.end(), area.begin(), area.end());
  return image;
}

}  // namespace boot_test
