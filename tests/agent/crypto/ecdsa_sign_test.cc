// Signing, and the private keys it takes: OpenSSL verifies what this signs, and writes the keys that this
// reads.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "agent/crypto/crypto.h"

namespace {

using Bytes = std::vector<std::uint8_t>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

KeyPtr make_key(const char* curve = "P-256") {
  return {EVP_EC_gen(curve), &EVP_PKEY_free};
}

Bytes sec1(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(key, &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Bytes pkcs8(EVP_PKEY* key) {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  PKCS8_PRIV_KEY_INFO_free(info);
  return out;
}

crypto::P256PrivateKey scalar_of(EVP_PKEY* key) {
  BIGNUM* scalar = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar), 1);
  crypto::P256PrivateKey out{};
  EXPECT_EQ(BN_bn2binpad(scalar, out.data(), static_cast<int>(out.size())), static_cast<int>(out.size()));
  BN_clear_free(scalar);
  return out;
}

void append_integer(Bytes& out, std::span<const std::uint8_t> value) {
  while (value.size() > 1 && value[0] == 0) value = value.subspan(1);
  const bool pad = (value[0] & 0x80U) != 0;
  out.push_back(0x02);
  out.push_back(static_cast<std::uint8_t>(value.size() + (pad ? 1 : 0)));
  if (pad) out.push_back(0);
  out.insert(out.end(), value.begin(), value.end());
}

Bytes der_of(const crypto::EcdsaSignature& raw) {
  Bytes out{0x30, 0};
  append_integer(out, std::span(raw).first<32>());
  append_integer(out, std::span(raw).last<32>());
  out[1] = static_cast<std::uint8_t>(out.size() - 2);
  return out;
}

bool openssl_verifies(EVP_PKEY* key, const crypto::Sha256Digest& digest, const Bytes& signature) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key, nullptr),
                                                                            &EVP_PKEY_CTX_free);
  return EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
             1;
}

TEST(EcdsaSign, OpensslVerifiesWhatItSigns) {
  for (int i = 0; i < 32; ++i) {
    const KeyPtr key = make_key();
    const crypto::Sha256Digest digest = crypto::sha256(Bytes(static_cast<std::size_t>(i), 0x5A));
    const auto signature = crypto::ecdsa_p256_sign(scalar_of(key.get()), digest);
    ASSERT_TRUE(signature);
    EXPECT_TRUE(openssl_verifies(key.get(), digest, der_of(*signature)));
    crypto::Sha256Digest other = digest;
    other[31] ^= 1;
    EXPECT_FALSE(openssl_verifies(key.get(), other, der_of(*signature)));
  }
}

/// RFC 6979, A.2.5: P-256, SHA-256, message "sample".
TEST(EcdsaSign, MatchesRfc6979) {
  constexpr crypto::P256PrivateKey kKey{0xC9, 0xAF, 0xA9, 0xD8, 0x45, 0xBA, 0x75, 0x16, 0x6B, 0x5C, 0x21,
                                        0x57, 0x67, 0xB1, 0xD6, 0x93, 0x4E, 0x50, 0xC3, 0xDB, 0x36, 0xE8,
                                        0x9B, 0x12, 0x7B, 0x8A, 0x62, 0x2B, 0x12, 0x0F, 0x67, 0x21};
  constexpr std::array<std::uint8_t, 4> kRBegins{0xEF, 0xD4, 0x8B, 0x2A};
  constexpr std::array<std::uint8_t, 4> kSBegins{0xF7, 0xCB, 0x1C, 0x94};
  constexpr std::string_view kText = "sample";
  const auto digest = crypto::sha256({reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()});
  const auto signature = crypto::ecdsa_p256_sign(kKey, digest);
  ASSERT_TRUE(signature);
  EXPECT_TRUE(std::ranges::equal(std::span(*signature).first(4), kRBegins));
  EXPECT_TRUE(std::ranges::equal(std::span(*signature).subspan(32, 4), kSBegins));
}

TEST(EcdsaSign, RefusesAKeyOutOfRange) {
  crypto::P256PrivateKey order{0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                               0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                               0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
  const crypto::Sha256Digest digest = crypto::sha256({});
  EXPECT_FALSE(crypto::ecdsa_p256_sign({}, digest));
  EXPECT_FALSE(crypto::ecdsa_p256_sign(order, digest));
  --order[31];
  EXPECT_TRUE(crypto::ecdsa_p256_sign(order, digest));
}

TEST(PrivateKeyDer, IsReadAsOpensslWritesIt) {
  const KeyPtr key = make_key();
  EXPECT_EQ(crypto::parse_p256_private_key(sec1(key.get())), scalar_of(key.get()));
  EXPECT_EQ(crypto::parse_p256_private_key(pkcs8(key.get())), scalar_of(key.get()));
}

TEST(PrivateKeyDer, OfAnotherCurveIsRefused) {
  for (const char* curve : {"P-384", "secp256k1"}) {
    const KeyPtr key = make_key(curve);
    EXPECT_FALSE(crypto::parse_p256_private_key(sec1(key.get()))) << curve;
    EXPECT_FALSE(crypto::parse_p256_private_key(pkcs8(key.get()))) << curve;
  }
}

TEST(PrivateKeyDer, ThatIsCutShortOrHasATailIsRefused) {
  const KeyPtr key = make_key();
  for (const Bytes& der : {sec1(key.get()), pkcs8(key.get())}) {
    for (std::size_t size = 0; size < der.size(); ++size)
      EXPECT_FALSE(crypto::parse_p256_private_key(std::span(der).first(size))) << size;
    Bytes longer = der;
    longer.push_back(0);
    EXPECT_FALSE(crypto::parse_p256_private_key(longer));
  }
}

/// Every byte may be hostile; the sanitizers watch.
TEST(PrivateKeyDer, WithAnyByteChangedIsReadOrRefused) {
  const KeyPtr key = make_key();
  std::size_t refused = 0;
  for (const Bytes& der : {sec1(key.get()), pkcs8(key.get())}) {
    for (std::size_t i = 0; i < der.size(); ++i) {
      for (const unsigned bit : {0x01U, 0x80U, 0xFFU}) {
        Bytes damaged = der;
        damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ bit);
        if (!crypto::parse_p256_private_key(damaged)) ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100U);
}

TEST(Wipe, LeavesZeros) {
  Bytes secret(33, 0xA5);
  crypto::wipe(secret);
  EXPECT_EQ(secret, Bytes(33, 0));
}

}  // namespace
