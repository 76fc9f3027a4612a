// crypto against OpenSSL: what OpenSSL signs verifies, and nothing else does.
#include "agent/crypto/crypto.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>
#include <string_view>
#include <vector>

namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

KeyPtr make_key() {
  return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

crypto::P256PublicKey public_point(EVP_PKEY* key) {
  crypto::P256PublicKey point{};
  std::size_t length = 0;
  EXPECT_EQ(EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", point.data(), point.size(), &length), 1);
  EXPECT_EQ(length, point.size());
  return point;
}

std::vector<std::uint8_t> sign(EVP_PKEY* key, std::span<const std::uint8_t> data) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key), 1);
  std::size_t length = 0;
  EXPECT_EQ(EVP_DigestSign(context.get(), nullptr, &length, data.data(), data.size()), 1);
  std::vector<std::uint8_t> signature(length);
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size()), 1);
  signature.resize(length);
  return signature;
}

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Sha256, MatchesTheStandardsVector) {
  const crypto::Sha256Digest digest = crypto::sha256(bytes("abc"));
  EXPECT_EQ(digest[0], 0xba);
  EXPECT_EQ(digest[1], 0x78);
  EXPECT_EQ(digest[31], 0xad);
}

TEST(Sha256, PiecesHashAsTheWhole) {
  std::vector<std::uint8_t> data(1000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 7);
  const crypto::Sha256Digest whole = crypto::sha256(data);
  for (std::size_t cut :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, data.size()}) {
    crypto::Sha256 hash;
    hash.update(std::span(data).first(cut));
    hash.update(std::span(data).subspan(cut));
    EXPECT_EQ(hash.finish(), whole) << "cut at " << cut;
  }
}

TEST(Ecdsa, AcceptsWhatOpensslSigns) {
  for (int i = 0; i < 32; ++i) {  // r and s of every encoded length come up
    const KeyPtr key = make_key();
    const std::vector<std::uint8_t> data(static_cast<std::size_t>(i), 0x5a);
    EXPECT_TRUE(
        crypto::ecdsa_p256_verify(public_point(key.get()), crypto::sha256(data), sign(key.get(), data)));
  }
}

TEST(Ecdsa, RefusesAnotherKeyDigestOrPoint) {
  const KeyPtr key = make_key();
  const KeyPtr other = make_key();
  const auto signature = sign(key.get(), bytes("image"));
  const auto digest = crypto::sha256(bytes("image"));
  EXPECT_FALSE(crypto::ecdsa_p256_verify(public_point(other.get()), digest, signature));
  EXPECT_FALSE(crypto::ecdsa_p256_verify(public_point(key.get()), crypto::sha256(bytes("imagf")), signature));
  crypto::P256PublicKey off_curve = public_point(key.get());
  off_curve[64] ^= 1;
  EXPECT_FALSE(crypto::ecdsa_p256_verify(off_curve, digest, signature));
  EXPECT_FALSE(crypto::ecdsa_p256_verify(crypto::P256PublicKey{}, digest, signature));
}

TEST(Ecdsa, RefusesEveryBitFlipTruncationAndTail) {
  const KeyPtr key = make_key();
  const auto point = public_point(key.get());
  const auto digest = crypto::sha256(bytes("image"));
  const auto signature = sign(key.get(), bytes("image"));
  ASSERT_TRUE(crypto::ecdsa_p256_verify(point, digest, signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    auto damaged = signature;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(crypto::ecdsa_p256_verify(point, digest, damaged)) << "bit " << bit;
  }
  for (std::size_t length = 0; length < signature.size(); ++length) {
    EXPECT_FALSE(crypto::ecdsa_p256_verify(point, digest, std::span(signature).first(length)));
  }
  auto longer = signature;
  longer.push_back(0);
  EXPECT_FALSE(crypto::ecdsa_p256_verify(point, digest, longer));
}

TEST(EqualConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(crypto::equal_constant_time(bytes("abc"), bytes("abc")));
  EXPECT_FALSE(crypto::equal_constant_time(bytes("abc"), bytes("abd")));
  EXPECT_FALSE(crypto::equal_constant_time(bytes("abc"), bytes("ab")));
  EXPECT_TRUE(crypto::equal_constant_time({}, {}));
}

}  // namespace
