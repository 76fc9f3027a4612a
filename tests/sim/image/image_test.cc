// The host's image maker and verifier. The bootloader's own parser reads what it makes (see also
// tests/agent/boot): two implementations of one format keep each other honest.
#include "sim/image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

#include "agent/boot/image.h"

namespace {

using otasim::crypto::Bytes;
using otasim::crypto::P256Key;
using otasim::image::packed;
using otasim::image::parse_version;
using otasim::image::SignOptions;
using otasim::image::to_string;

const P256Key& key() {
  static const P256Key key = P256Key::generate().value();
  return key;
}

Bytes payload() {
  Bytes bytes(1000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

Bytes signed_image() {
  const SignOptions options{.version = {1, 2, 3, 4}, .security_counter = 7, .load_address = 0x00100000};
  return otasim::image::sign(payload(), options, key()).value();
}

TEST(Image, SignedImageVerifiesAndTellsWhatWentIn) {
  const Bytes image = signed_image();
  const auto info = otasim::image::verify(image, key());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(to_string(info->version), "1.2.3+4");
  EXPECT_EQ(info->security_counter, 7U);
  EXPECT_EQ(info->load_address, 0x00100000U);
  EXPECT_EQ(info->payload_size, 1000U);
  EXPECT_EQ(info->total_size, image.size());
  EXPECT_EQ(info->flags, boot::image::kFlagRamLoad);
}

TEST(Image, BytesBehindTheImageDoNotMatter) {
  Bytes image = signed_image();
  const std::size_t size = image.size();
  image.resize(size + 500, 0xFF);
  const auto info = otasim::image::verify(image, key());
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->total_size, size);
}

TEST(Image, NoFlippedBitVerifies) {
  const Bytes image = signed_image();
  for (std::size_t at = 0; at < image.size(); ++at) {
    // The header's padding and the payload are alike to the hash: a sample of them is enough.
    if (at > 40 && at < image.size() - 250 && at % 37 != 0) continue;
    Bytes damaged = image;
    damaged[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    EXPECT_FALSE(otasim::image::verify(damaged, key()).has_value()) << "byte " << at;
  }
}

TEST(Image, NoTruncationParses) {
  const Bytes image = signed_image();
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_FALSE(otasim::image::parse(std::span(image).first(size)).has_value()) << "size " << size;
  }
}

TEST(Image, AnotherKeyIsNamedAsTheReason) {
  const P256Key other = P256Key::generate().value();
  const auto info = otasim::image::verify(signed_image(), other);
  ASSERT_FALSE(info.has_value());
  EXPECT_EQ(info.error().code, otasim::ExitCode::kFailed);
  EXPECT_THAT(info.error().message, testing::HasSubstr("another key"));
}

TEST(Image, AFileThatIsNoImageSaysHowToMakeOne) {
  const Bytes text{'h', 'e', 'l', 'l', 'o'};
  const auto info = otasim::image::parse(text);
  ASSERT_FALSE(info.has_value());
  EXPECT_EQ(info.error().code, otasim::ExitCode::kUsage);
  EXPECT_THAT(info.error().hint, testing::HasSubstr("otasim image sign"));
}

TEST(Image, IsFilledUpToTheByte) {
  const std::vector<std::uint8_t> payload(1000, 0x5A);
  const SignOptions options{.version = {1, 2, 3, 0}};
  const std::size_t smallest =
      sign(payload, options, key()).value().size() + 3;  // signatures differ in length
  for (const std::size_t size : {smallest, smallest + 1, smallest + 4095, std::size_t{300'000}}) {
    const auto image = otasim::image::sign_to_size(payload, options, key(), size);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->size(), size);
    const auto info = otasim::image::verify(*image, key());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->total_size, size);
    EXPECT_EQ(info->version, options.version);
  }
}

TEST(Image, CannotBeSmallerThanItsPayload) {
  const std::vector<std::uint8_t> payload(1000, 0x5A);
  const auto image = otasim::image::sign_to_size(payload, {.version = {1, 2, 3, 0}}, key(), 1000);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, otasim::ExitCode::kUsage);
  EXPECT_THAT(image.error().message, testing::HasSubstr("does not fit an image of 1000 bytes"));
}

TEST(Version, ReadsWhatPeopleWrite) {
  EXPECT_EQ(to_string(parse_version("1.2.3").value()), "1.2.3");
  EXPECT_EQ(to_string(parse_version("255.255.65535+4294967295").value()), "255.255.65535+4294967295");
  EXPECT_EQ(packed(parse_version("1.2.3").value()), 0x01020003U);
}

TEST(Version, RefusesEverythingElse) {
  for (const char* text :
       {"", "1", "1.2", "1.2.", ".1.2", "1.2.3.4", "256.0.0", "1.256.0", "1.2.65536", "-1.0.0", "1.-2.0",
        "1.2.3+", "1.2.3+x", "1.2.3+4294967296", " 1.2.3", "1.2.3 ", "v1.2.3", "a.b.c", "1..3"}) {
    EXPECT_FALSE(parse_version(text).has_value()) << "'" << text << "'";
  }
}

const P256Key& recipient() {
  static const P256Key key = P256Key::generate().value();
  return key;
}

Bytes encrypted_image(std::span<const std::uint8_t> payload) {
  const SignOptions options{.version = {1, 2, 3, 4}, .load_address = 0x00100000, .encrypt_to = &recipient()};
  return otasim::image::sign(payload, options, key()).value();
}

TEST(EncryptedImage, VerifiesWithTheKeyItIsEncryptedTo) {
  const Bytes image = encrypted_image(payload());
  const Bytes plain = payload();
  EXPECT_EQ(std::search(image.begin(), image.end(), plain.begin(), plain.begin() + 32), image.end());
  const auto info = otasim::image::verify(image, key(), &recipient());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_TRUE(info->is_encrypted());
  EXPECT_EQ(info->payload_size, 1008U) << "filled up to AES's blocks";
  EXPECT_THAT(otasim::image::verify(image, key()).error().message, testing::HasSubstr("no key was given"));
  const P256Key other = P256Key::generate().value();
  EXPECT_THAT(otasim::image::verify(image, key(), &other).error().message, testing::HasSubstr("another key"));
}

TEST(EncryptedImage, DamageIsFound) {
  const Bytes image = encrypted_image(payload());
  for (std::size_t at = 0x200; at < image.size(); at += 7) {
    Bytes damaged = image;
    damaged[at] ^= 0x20;
    EXPECT_FALSE(otasim::image::verify(damaged, key(), &recipient()).has_value()) << at;
  }
}

// What one implementation makes the other must read, both ways.

constexpr boot::image::LoadRegion kRegion{0x00100000, 0x10000};

crypto::P256PublicKey point_of(const P256Key& key) {
  crypto::P256PublicKey point{};
  const Bytes spki = key.public_der();
  std::copy(spki.end() - static_cast<std::ptrdiff_t>(point.size()), spki.end(), point.begin());
  return point;
}

TEST(BothParsers, TheBootloaderOpensAndVerifiesWhatTheHostSigns) {
  const auto point = point_of(key());
  crypto::Sha256Digest hash{};
  std::ranges::copy(otasim::crypto::sha256(key().public_der()), hash.begin());
  const std::array signers{boot::image::PublicKey{point, hash}};
  crypto::P256PrivateKey scalar{};
  const Bytes ec_private = recipient().private_der();  // 30 len 02 01 01 04 20 scalar
  std::copy_n(ec_private.begin() + 7, scalar.size(), scalar.begin());

  for (const bool encrypt : {false, true}) {
    const SignOptions options{.version = {4, 3, 2, 1},
                              .security_counter = 9,
                              .load_address = 0x00100000,
                              .kind = boot::image::Kind::kRecovery,
                              .revoked_keys = 0b110,
                              .encrypt_to = encrypt ? &recipient() : nullptr};
    Bytes image = otasim::image::sign(payload(), options, key()).value();
    ASSERT_EQ(boot::image::decrypt(image, kRegion, scalar), boot::image::VerifyStatus::kOk);
    boot::image::Info info;
    ASSERT_EQ(boot::image::verify(image, {signers, 0}, kRegion, info), boot::image::VerifyStatus::kOk);
    EXPECT_EQ(info.security_counter, 9U);
    EXPECT_EQ(info.kind, boot::image::Kind::kRecovery);
    EXPECT_EQ(info.revoked_keys, 0b110U);
    EXPECT_EQ(info.version, (boot::image::Version{4, 3, 2, 1}));
    EXPECT_EQ(info.total_size, image.size());
  }
}

}  // namespace
