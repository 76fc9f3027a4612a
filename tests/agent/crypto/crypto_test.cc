// crypto against OpenSSL: what OpenSSL signs verifies, and nothing else does.
#include "agent/crypto/crypto.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using crypto::Verdict;
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
    EXPECT_EQ(crypto::ecdsa_p256_verify(public_point(key.get()), crypto::sha256(data), sign(key.get(), data)),
              Verdict::kYes);
  }
}

TEST(Ecdsa, RefusesAnotherKeyDigestOrPoint) {
  const KeyPtr key = make_key();
  const KeyPtr other = make_key();
  const auto signature = sign(key.get(), bytes("image"));
  const auto digest = crypto::sha256(bytes("image"));
  EXPECT_EQ(crypto::ecdsa_p256_verify(public_point(other.get()), digest, signature), Verdict::kNo);
  EXPECT_EQ(crypto::ecdsa_p256_verify(public_point(key.get()), crypto::sha256(bytes("imagf")), signature),
            Verdict::kNo);
  crypto::P256PublicKey off_curve = public_point(key.get());
  off_curve[64] ^= 1;
  EXPECT_EQ(crypto::ecdsa_p256_verify(off_curve, digest, signature), Verdict::kNo);
  EXPECT_EQ(crypto::ecdsa_p256_verify(crypto::P256PublicKey{}, digest, signature), Verdict::kNo);
}

TEST(Ecdsa, RefusesEveryBitFlipTruncationAndTail) {
  const KeyPtr key = make_key();
  const auto point = public_point(key.get());
  const auto digest = crypto::sha256(bytes("image"));
  const auto signature = sign(key.get(), bytes("image"));
  ASSERT_EQ(crypto::ecdsa_p256_verify(point, digest, signature), Verdict::kYes);
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    auto damaged = signature;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_EQ(crypto::ecdsa_p256_verify(point, digest, damaged), Verdict::kNo) << "bit " << bit;
  }
  for (std::size_t length = 0; length < signature.size(); ++length) {
    EXPECT_EQ(crypto::ecdsa_p256_verify(point, digest, std::span(signature).first(length)), Verdict::kNo);
  }
  auto longer = signature;
  longer.push_back(0);
  EXPECT_EQ(crypto::ecdsa_p256_verify(point, digest, longer), Verdict::kNo);
}

/// r and s as they are not to be encoded; each is what OpenSSL signed, but not DER.
TEST(Ecdsa, RefusesWhatIsNotDer) {
  const KeyPtr key = make_key();
  const auto digest = crypto::sha256(bytes("image"));
  const auto good = sign(key.get(), bytes("image"));
  ASSERT_EQ(crypto::ecdsa_p256_verify(public_point(key.get()), digest, good), Verdict::kYes);
  const auto refuses = [&](std::vector<std::uint8_t> signature) {
    return crypto::ecdsa_p256_verify(public_point(key.get()), digest, signature) == Verdict::kNo;
  };
  const auto r_length = good[3];
  auto padded = good;  // one zero more before r
  padded.insert(padded.begin() + 4, 0);
  ++padded[3];
  ++padded[1];
  EXPECT_TRUE(refuses(padded));
  auto long_form = good;  // the length in two bytes
  long_form.insert(long_form.begin() + 1, 0x81);
  EXPECT_TRUE(refuses(long_form));
  auto only_r = good;
  only_r.resize(4U + r_length);
  only_r[1] = static_cast<std::uint8_t>(only_r.size() - 2);
  EXPECT_TRUE(refuses(only_r));
  EXPECT_TRUE(refuses({0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00}));  // zeros
  EXPECT_TRUE(refuses({0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x01}));  // negative
  EXPECT_TRUE(refuses({0x30, 0x05, 0x02, 0x00, 0x02, 0x01, 0x01}));        // empty
}

/// r or s at or above the order of the curve, which arithmetic alone would reduce.
TEST(Ecdsa, RefusesScalarsOutOfRange) {
  const KeyPtr key = make_key();
  constexpr std::array<std::uint8_t, 32> kOrder{
      0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  std::vector<std::uint8_t> signature{0x30, 0x26, 0x02, 0x21, 0x00};
  signature.insert(signature.end(), kOrder.begin(), kOrder.end());
  signature.insert(signature.end(), {0x02, 0x01, 0x01});
  EXPECT_EQ(crypto::ecdsa_p256_verify(public_point(key.get()), crypto::sha256({}), signature), Verdict::kNo);
}

/// The order is below the field's prime: one point in 2^128 has an x that r does not show. No signer meets
/// one, an attacker can make a key for it.
TEST(Ecdsa, AcceptsAPointWhoseXIsAtOrAboveTheOrder) {
  const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(
      EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), &EC_GROUP_free);
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), &BN_CTX_free);
  const auto make_point = [&] {
    return std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)>(EC_POINT_new(group.get()), &EC_POINT_free);
  };
  const auto make_number = [] { return std::unique_ptr<BIGNUM, decltype(&BN_free)>(BN_new(), &BN_free); };
  const BIGNUM* const order = EC_GROUP_get0_order(group.get());

  std::uint8_t r = 1;
  const auto point = make_point();
  const auto x = make_number();
  const auto is_on_curve = [&] {
    BN_copy(x.get(), order);
    BN_add_word(x.get(), r);
    return EC_POINT_set_compressed_coordinates(group.get(), point.get(), x.get(), 0, context.get()) == 1;
  };
  while (!is_on_curve()) ASSERT_LT(++r, 0x80);

  // The key for which (r, s) signs this: (s * point - digest * G) / r.
  const std::uint8_t s = 5;
  const auto digest = crypto::sha256(bytes("image"));
  const auto by_point = make_number();
  const auto by_generator = make_number();
  const auto number = make_number();
  BN_set_word(number.get(), r);
  BN_mod_inverse(number.get(), number.get(), order, context.get());
  BN_set_word(by_point.get(), s);
  BN_mod_mul(by_point.get(), by_point.get(), number.get(), order, context.get());
  BN_bin2bn(digest.data(), digest.size(), by_generator.get());
  BN_mod_sub(by_generator.get(), order, by_generator.get(), order, context.get());
  BN_mod_mul(by_generator.get(), by_generator.get(), number.get(), order, context.get());
  const auto key = make_point();
  ASSERT_EQ(
      EC_POINT_mul(group.get(), key.get(), by_generator.get(), point.get(), by_point.get(), context.get()),
      1);
  crypto::P256PublicKey encoded{};
  ASSERT_EQ(EC_POINT_point2oct(group.get(), key.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                               encoded.size(), context.get()),
            encoded.size());

  const std::array<std::uint8_t, 8> signature{0x30, 0x06, 0x02, 0x01, r, 0x02, 0x01, s};
  EXPECT_EQ(crypto::ecdsa_p256_verify(encoded, digest, signature), Verdict::kYes);
  auto other = signature;
  ++other[4];
  EXPECT_EQ(crypto::ecdsa_p256_verify(encoded, digest, other), Verdict::kNo);
}

/// What would hold if the sum of products were left out: the key's own x.
TEST(Ecdsa, RefusesTheKeysXForR) {
  for (int i = 0; i < 8; ++i) {
    const KeyPtr key = make_key();
    const auto point = public_point(key.get());
    std::vector<std::uint8_t> signature{0x30, 0, 0x02, 0x20};
    if ((point[1] & 0x80U) != 0) signature = {0x30, 0, 0x02, 0x21, 0x00};
    signature.insert(signature.end(), point.begin() + 1, point.begin() + 33);
    signature.insert(signature.end(), {0x02, 0x01, 0x01});
    signature[1] = static_cast<std::uint8_t>(signature.size() - 2);
    EXPECT_EQ(crypto::ecdsa_p256_verify(point, crypto::sha256(bytes("image")), signature), Verdict::kNo);
  }
}

TEST(SharedSecret, IsWhatOpensslDerives) {
  for (int i = 0; i < 8; ++i) {
    const KeyPtr own = make_key();
    const KeyPtr peer = make_key();
    BIGNUM* scalar = nullptr;
    ASSERT_EQ(EVP_PKEY_get_bn_param(own.get(), "priv", &scalar), 1);
    crypto::P256PrivateKey own_scalar{};
    ASSERT_EQ(BN_bn2binpad(scalar, own_scalar.data(), own_scalar.size()), 32);
    BN_free(scalar);
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new(own.get(), nullptr), &EVP_PKEY_CTX_free);
    std::array<std::uint8_t, 32> expected{};
    std::size_t size = expected.size();
    ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), peer.get()), 1);
    ASSERT_EQ(EVP_PKEY_derive(context.get(), expected.data(), &size), 1);
    EXPECT_EQ(crypto::p256_shared_secret(own_scalar, public_point(peer.get())), expected);
  }
}

TEST(SharedSecret, RefusesBadPointsAndScalars) {
  const crypto::P256PublicKey good = public_point(make_key().get());
  crypto::P256PrivateKey one{};
  one.back() = 1;
  ASSERT_TRUE(crypto::p256_shared_secret(one, good));
  EXPECT_FALSE(crypto::p256_shared_secret({}, good));
  crypto::P256PrivateKey high;
  high.fill(0xff);
  EXPECT_FALSE(crypto::p256_shared_secret(high, good));
  crypto::P256PublicKey off_curve = good;
  off_curve[1] ^= 1;
  EXPECT_FALSE(crypto::p256_shared_secret(one, off_curve));
  EXPECT_FALSE(crypto::p256_shared_secret(one, {}));
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}

TEST(Hkdf, MatchesRfc5869WithoutSalt) {  // its test case 3
  const std::vector<std::uint8_t> input(22, 0x0b);
  std::vector<std::uint8_t> out(42);
  crypto::hkdf_sha256(input, {}, out);
  EXPECT_EQ(out,
            from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST(Hmac, MatchesRfc4231) {  // its test case 2
  const auto tag = crypto::hmac_sha256(bytes("Jefe"), bytes("what do ya want for nothing?"));
  EXPECT_EQ(std::vector(tag.begin(), tag.end()),
            from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

TEST(AesCtr, IsOpenssls) {
  crypto::Aes128Key key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 17);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1000U, 70000U}) {
    std::vector<std::uint8_t> data(size);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 31);
    std::vector<std::uint8_t> expected(size);
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                  &EVP_CIPHER_CTX_free);
    constexpr std::array<std::uint8_t, 16> kCounter{};
    int length = 0;
    ASSERT_EQ(EVP_EncryptInit_ex2(context.get(), EVP_aes_128_ctr(), key.data(), kCounter.data(), nullptr), 1);
    ASSERT_EQ(EVP_EncryptUpdate(context.get(), expected.data(), &length, data.data(), static_cast<int>(size)),
              1);
    crypto::aes128_ctr(key, data);
    EXPECT_EQ(data, expected) << size << " bytes";
  }
}

TEST(EqualConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(crypto::equal_constant_time(bytes("abc"), bytes("abc")));
  EXPECT_FALSE(crypto::equal_constant_time(bytes("abc"), bytes("abd")));
  EXPECT_FALSE(crypto::equal_constant_time(bytes("abc"), bytes("ab")));
  EXPECT_TRUE(crypto::equal_constant_time({}, {}));
}

}  // namespace
