// Sealing: the cipher is AES-256-GCM as published, and nothing that was changed can be opened.
#include "pal_sim/provisioning/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using ::testing::Each;

using Bytes = std::vector<std::uint8_t>;
using Tag = std::array<std::uint8_t, provisioning::kSealTagSize>;

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

provisioning::DeviceKey key_of(const Bytes& bytes) {
  return std::span(bytes).first<provisioning::kDeviceKeySize>();
}

provisioning::Nonce nonce_of(const Bytes& bytes) {
  return std::span(bytes).first<provisioning::kNonceSize>();
}

struct Sealed {
  Bytes text;
  Tag tag{};
};

Sealed sealed(const Bytes& key, const Bytes& nonce, const Bytes& associated, const Bytes& text) {
  Sealed result{text, {}};
  EXPECT_TRUE(provisioning::seal(key_of(key), nonce_of(nonce), associated, result.text, result.tag));
  return result;
}

/// The same by OpenSSL.
Sealed sealed_by_openssl(const Bytes& key, const Bytes& nonce, const Bytes& associated, const Bytes& text) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  Sealed result{Bytes(text.size()), {}};
  int size = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), nullptr, &size, associated.data(),
                              static_cast<int>(associated.size())),
            1);
  EXPECT_EQ(
      EVP_EncryptUpdate(context.get(), result.text.data(), &size, text.data(), static_cast<int>(text.size())),
      1);
  EXPECT_EQ(EVP_EncryptFinal_ex(context.get(), result.text.data() + size, &size), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(result.tag.size()),
                                result.tag.data()),
            1);
  return result;
}

// Test case 16 of the specification of GCM by McGrew and Viega.
const Bytes kKey = from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
const Bytes kNonce = from_hex("cafebabefacedbaddecaf888");
const Bytes kAssociated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const Bytes kText = from_hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");

TEST(Seal, IsAes256Gcm) {
  const Sealed result = sealed(kKey, kNonce, kAssociated, kText);
  EXPECT_EQ(result.text, from_hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                                  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"));
  EXPECT_EQ(Bytes(result.tag.begin(), result.tag.end()), from_hex("76fc6ece0f4e1768cddf8853bb2d551b"));
}

TEST(Seal, AgreesWithAnotherImplementationAtEveryLength) {
  for (std::size_t size = 1; size < 100; ++size) {
    const Bytes text(size, 0x5A);
    const Bytes associated(size % 40, 0xA5);
    const Sealed ours = sealed(kKey, kNonce, associated, text);
    const Sealed theirs = sealed_by_openssl(kKey, kNonce, associated, text);
    ASSERT_EQ(ours.text, theirs.text) << size;
    ASSERT_EQ(ours.tag, theirs.tag) << size;
  }
}

TEST(Seal, OpensToWhatWasSealed) {
  Sealed box = sealed(kKey, kNonce, kAssociated, kText);
  ASSERT_TRUE(provisioning::unseal(key_of(kKey), nonce_of(kNonce), kAssociated, box.text, box.tag));
  EXPECT_EQ(box.text, kText);
  Sealed empty = sealed(kKey, kNonce, kAssociated, {});
  EXPECT_TRUE(provisioning::unseal(key_of(kKey), nonce_of(kNonce), kAssociated, empty.text, empty.tag));
}

/// Calls `check` with each bit of `bytes` flipped in turn.
template <typename Container, typename Check>
void with_each_bit_flipped(Container bytes, Check check) {
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ mask);
    check(bytes);
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ mask);
  }
}

TEST(Seal, ADifferenceAnywhereIsRefusedAndLeavesNothing) {
  const Sealed box = sealed(kKey, kNonce, kAssociated, kText);
  int refused = 0;
  const auto refuses = [&](const Bytes& key, const Bytes& nonce, const Bytes& associated, const Bytes& text,
                           const Tag& tag) {
    Bytes opened = text;
    ASSERT_FALSE(provisioning::unseal(key_of(key), nonce_of(nonce), associated, opened, tag));
    ASSERT_THAT(opened, Each(0)) << "no clear text of a forgery";
    ++refused;
  };
  with_each_bit_flipped(kKey,
                        [&](const Bytes& key) { refuses(key, kNonce, kAssociated, box.text, box.tag); });
  with_each_bit_flipped(kNonce, [&](const Bytes& n) { refuses(kKey, n, kAssociated, box.text, box.tag); });
  with_each_bit_flipped(kAssociated, [&](const Bytes& a) { refuses(kKey, kNonce, a, box.text, box.tag); });
  with_each_bit_flipped(box.text, [&](const Bytes& t) { refuses(kKey, kNonce, kAssociated, t, box.tag); });
  with_each_bit_flipped(box.tag, [&](const Tag& tag) { refuses(kKey, kNonce, kAssociated, box.text, tag); });
  EXPECT_EQ(refused, 8 * (32 + 12 + 20 + 60 + 16));
}

}  // namespace
