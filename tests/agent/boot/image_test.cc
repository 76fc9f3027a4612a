// The image parser against hostile images: what is signed and sound verifies, everything else is refused by
// name.
#include "agent/boot/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

#include "agent/boot/slots.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/image_builder.h"

namespace {

using namespace boot::image;
using boot_test::build_image;
using boot_test::Bytes;
using boot_test::ImageSpec;
using boot_test::little_endian;
using boot_test::SigningKey;

constexpr LoadRegion kRegion{boot_test::kLoadAddress, 0x1'0000};
constexpr LoadRegion kSlotRegion{boot_test::kLoadAddress, flash::kSlotSize};

class ImageTest : public testing::Test {
 protected:
  [[nodiscard]] VerifyStatus verify(const Bytes& image) {
    const std::array keys{key().public_key()};
    return boot::image::verify(image, {keys, 0}, kRegion, info_);
  }

  [[nodiscard]] VerifyStatus verify(const ImageSpec& spec) { return verify(build_image(spec, key())); }

  [[nodiscard]] VerifyStatus peek(const Bytes& image) {
    std::copy(image.begin(), image.end(), flash().window().begin() + flash::kSlotB.offset);
    return boot::image::peek(flash(), boot::Slot::kB, kSlotRegion, info_);
  }

  /// An image whose header was changed before it was hashed and signed.
  [[nodiscard]] VerifyStatus verify_signed_header(const std::function<void(Header&)>& change) {
    Bytes image = build_image({}, key());
    Header header;
    std::memcpy(&header, image.data(), sizeof(header));
    change(header);
    std::memcpy(image.data(), &header, sizeof(header));
    return verify(image);
  }

  // Made once: keys and 16 MiB of flash are slow to make, and no test depends on what they held before.
  static const SigningKey& key() {
    static const SigningKey key;
    return key;
  }
  static native::NativeFlash& flash() {
    static native::NativeFlash flash;
    return flash;
  }

  Info info_;
};

TEST_F(ImageTest, SignedImageVerifiesAndSaysWhatItIs) {
  const Bytes image = build_image({.version = {1, 2, 345, 6}, .security_counter = 7}, key());
  ASSERT_EQ(verify(image), VerifyStatus::kOk);
  EXPECT_EQ(info_.version, (Version{1, 2, 345, 6}));
  EXPECT_EQ(info_.security_counter, 7U);
  EXPECT_EQ(info_.kind, Kind::kApplication);
  EXPECT_EQ(info_.load_address, boot_test::kLoadAddress);
  EXPECT_EQ(info_.header_size, kDefaultHeaderSize);
  EXPECT_EQ(info_.total_size, image.size());
  const std::size_t signed_size = 0x200 + 300 + 12;
  EXPECT_EQ(info_.digest, crypto::sha256(std::span(image).first(signed_size)));
}

TEST_F(ImageTest, PeekSaysTheSameFromFlash) {
  const Bytes image =
      build_image({.version = {9, 8, 7, 0}, .security_counter = 3, .kind = Kind::kRecovery}, key());
  ASSERT_EQ(verify(image), VerifyStatus::kOk);
  const Info verified = info_;
  info_ = {};
  ASSERT_EQ(peek(image), VerifyStatus::kOk);
  EXPECT_EQ(info_.version, verified.version);
  EXPECT_EQ(info_.security_counter, 3U);
  EXPECT_EQ(info_.kind, Kind::kRecovery);
  EXPECT_EQ(info_.digest, verified.digest);
  EXPECT_EQ(info_.total_size, image.size());
}

TEST_F(ImageTest, EveryFlippedBitIsRefused) {
  const Bytes image = build_image({}, key());
  const std::size_t payload_end = 0x200 + 300;
  for (std::size_t at = 0; at < image.size(); ++at) {
    // Inside header padding and payload all bytes are alike: hashed. One bit in each eighth is enough there.
    const bool in_bulk = at >= kHeaderStructSize && at < payload_end;
    if (in_bulk && at % 8 != 0) continue;
    for (unsigned bit = 0; bit < 8; bit += in_bulk ? 8 : 1) {
      Bytes damaged = image;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1U << bit));
      ASSERT_NE(verify(damaged), VerifyStatus::kOk) << "byte " << at << " bit " << bit;
    }
  }
}

TEST_F(ImageTest, EveryTruncationIsRefused) {
  const Bytes image = build_image({}, key());
  for (std::size_t size = 0; size < image.size(); ++size) {
    const Bytes cut(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_NE(verify(cut), VerifyStatus::kOk) << size << " bytes";
  }
}

TEST_F(ImageTest, BytesAfterTheLastTlvAreRefused) {
  Bytes image = build_image({}, key());
  image.push_back(0);
  EXPECT_EQ(verify(image), VerifyStatus::kBadSize);
}

TEST_F(ImageTest, DamagedPayloadIsAHashMismatch) {
  Bytes image = build_image({}, key());
  image[0x200 + 5] ^= 1;
  EXPECT_EQ(verify(image), VerifyStatus::kHashMismatch);
}

TEST_F(ImageTest, DigestMadeToFitDamageIsABadSignature) {
  Bytes image = build_image({}, key());
  const Bytes sound = image;
  image[0x200 + 5] ^= 1;
  const auto new_digest = crypto::sha256(std::span(image).first(0x200 + 300 + 12));
  ASSERT_EQ(verify(sound), VerifyStatus::kOk);
  const auto old_digest = std::search(image.begin(), image.end(), info_.digest.begin(), info_.digest.end());
  ASSERT_NE(old_digest, image.end());
  std::copy(new_digest.begin(), new_digest.end(), old_digest);
  EXPECT_EQ(verify(image), VerifyStatus::kBadSignature);
}

TEST_F(ImageTest, AnotherSignersImageIsAnUnknownKey) {
  const SigningKey stranger;
  EXPECT_EQ(verify(build_image({}, stranger)), VerifyStatus::kUnknownKey);
}

TEST_F(ImageTest, StrangersSignatureUnderOurKeyHashIsABadSignature) {
  const SigningKey stranger;
  const auto& ours = key().public_key().hash;
  ImageSpec spec;
  spec.with_key_hash = false;
  spec.more_unprotected = {{kTlvKeyHash, Bytes(ours.begin(), ours.end())}};
  EXPECT_EQ(verify(build_image(spec, stranger)), VerifyStatus::kBadSignature);
}

TEST_F(ImageTest, AnyOfSeveralKeysMaySign) {
  const SigningKey second;
  const std::array keys{key().public_key(), second.public_key()};
  EXPECT_EQ(boot::image::verify(build_image({}, key()), {keys, 0}, kRegion, info_), VerifyStatus::kOk);
  EXPECT_EQ(boot::image::verify(build_image({}, second), {keys, 0}, kRegion, info_), VerifyStatus::kOk);
  EXPECT_EQ(boot::image::verify(build_image({}, key()), {{}, 0}, kRegion, info_), VerifyStatus::kUnknownKey);
}

TEST_F(ImageTest, MissingTlvsAreRefused) {
  EXPECT_EQ(verify(ImageSpec{.security_counter = std::nullopt}), VerifyStatus::kMissingTlv);
  EXPECT_EQ(verify(ImageSpec{.with_key_hash = false}), VerifyStatus::kMissingTlv);
  EXPECT_EQ(verify(ImageSpec{.with_sha256 = false}), VerifyStatus::kMissingTlv);
  EXPECT_EQ(verify(ImageSpec{.with_signature = false}), VerifyStatus::kMissingTlv);
}

TEST_F(ImageTest, DuplicateTlvsAreRefused) {
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{kTlvSecurityCounter, little_endian(1)}}}),
            VerifyStatus::kDuplicateTlv);
  EXPECT_EQ(
      verify(ImageSpec{.kind = Kind::kApplication, .more_protected = {{kTlvImageKind, little_endian(0)}}}),
      VerifyStatus::kDuplicateTlv);
  for (const std::uint16_t type : {kTlvKeyHash, kTlvSha256, kTlvEcdsaSignature}) {
    EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{type, Bytes(32)}}}), VerifyStatus::kDuplicateTlv)
        << type;
  }
}

TEST_F(ImageTest, TlvsInTheWrongAreaAreRefused) {
  EXPECT_EQ(verify(ImageSpec{.security_counter = std::nullopt,
                             .more_unprotected = {{kTlvSecurityCounter, little_endian(1)}}}),
            VerifyStatus::kUnexpectedTlv);
  EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{kTlvImageKind, little_endian(1)}}}),
            VerifyStatus::kUnexpectedTlv);
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{kTlvSha256, Bytes(32)}}}), VerifyStatus::kUnexpectedTlv);
}

TEST_F(ImageTest, TlvsOfTheWrongLengthAreRefused) {
  EXPECT_EQ(verify(ImageSpec{.security_counter = std::nullopt,
                             .more_protected = {{kTlvSecurityCounter, Bytes(3)}}}),
            VerifyStatus::kBadTlv);
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{kTlvImageKind, Bytes(8)}}}), VerifyStatus::kBadTlv);
  EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{kTlvSha256, Bytes(31)}}, .with_sha256 = false}),
            VerifyStatus::kBadTlv);
  EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{kTlvKeyHash, Bytes(0)}}, .with_key_hash = false}),
            VerifyStatus::kBadTlv);
  EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{kTlvEcdsaSignature, Bytes(73)}}, .with_signature = false}),
            VerifyStatus::kBadTlv);
}

TEST_F(ImageTest, ATlvAreaSmallerThanItsInfoIsRefused) {
  const std::size_t info_at = 0x200 + 300 + 12;
  for (const std::uint8_t size : {std::uint8_t{0}, std::uint8_t{3}}) {
    Bytes image = build_image({}, key());
    image[info_at + 2] = size;
    image[info_at + 3] = 0;
    EXPECT_EQ(verify(image), VerifyStatus::kBadTlv);
  }
}

TEST_F(ImageTest, UnknownSignedTlvsAreIgnored) {
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{0x1234, Bytes(16)}}}), VerifyStatus::kOk);
}

TEST_F(ImageTest, OversizedTlvAreasAreRefused) {
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{0x1234, Bytes(kMaxTlvAreaSize)}}}), VerifyStatus::kBadTlv);
  EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{kTlvEcdsaSignature, Bytes(kMaxTlvAreaSize)}}}),
            VerifyStatus::kBadTlv);
}

TEST_F(ImageTest, HeadersOfOtherFormsAreRefusedThoughSigned) {
  EXPECT_EQ(verify(ImageSpec{.header_size = 0x220}), VerifyStatus::kBadHeader);
  EXPECT_EQ(verify(ImageSpec{.header_size = 32}), VerifyStatus::kBadHeader);
  EXPECT_EQ(verify(ImageSpec{.flags = 0}), VerifyStatus::kNotRamLoad);
  EXPECT_EQ(verify(ImageSpec{.flags = kFlagRamLoad | 0x08}), VerifyStatus::kBadHeader);
  EXPECT_EQ(verify(ImageSpec{.load_address = 0x0010'0200}), VerifyStatus::kWrongLoadAddress);
  EXPECT_EQ(verify(ImageSpec{.payload_size = 4}), VerifyStatus::kBadSize);
  EXPECT_EQ(verify(ImageSpec{.header_size = 0x400}), VerifyStatus::kOk);
}

TEST_F(ImageTest, SizesThatOverflowAreRefused) {
  const auto size_of = [](std::uint32_t size) {
    return [size](Header& header) { header.image_size = size; };
  };
  EXPECT_EQ(verify_signed_header(size_of(0xFFFF'FFFF)), VerifyStatus::kBadSize);
  // Header and payload together wrap around to a small number.
  EXPECT_EQ(verify_signed_header(size_of(0U - 0x200U)), VerifyStatus::kBadSize);
  EXPECT_EQ(verify_signed_header(size_of(0U - 0x200U + 64U)), VerifyStatus::kBadSize);
  EXPECT_EQ(verify_signed_header([](Header& header) { header.protected_tlv_size = 0xFFFF; }),
            VerifyStatus::kBadTlv);
  EXPECT_EQ(verify_signed_header([](Header& header) { header.header_size = 0xFE00; }),
            VerifyStatus::kBadSize);
  EXPECT_EQ(verify_signed_header([](Header& header) { header.header_size = 0; }), VerifyStatus::kBadHeader);
}

TEST_F(ImageTest, ProtectedAreaMustFillItsSpace) {
  // One byte of payload less and one byte of protected area more: the area's magic is not where it must be.
  EXPECT_EQ(verify_signed_header([](Header& header) {
              --header.image_size;
              ++header.protected_tlv_size;
            }),
            VerifyStatus::kBadTlv);
  for (std::uint16_t size = 1; size < sizeof(TlvInfo); ++size) {
    EXPECT_EQ(verify_signed_header([size](Header& header) {
                header.image_size += static_cast<std::uint32_t>(header.protected_tlv_size - size);
                header.protected_tlv_size = size;
              }),
              VerifyStatus::kBadTlv);
  }
}

TEST_F(ImageTest, ImageLargerThanTheLoadRegionIsRefused) {
  EXPECT_EQ(verify(ImageSpec{.payload_size = kRegion.size}), VerifyStatus::kBadSize);
}

TEST_F(ImageTest, PeekRefusesWhatLeavesTheSlot) {
  EXPECT_EQ(peek(Bytes(64, 0xFF)), VerifyStatus::kNoImage);
  Bytes image = build_image({}, key());
  const auto with_size = [&](std::uint32_t size) {
    Bytes changed = image;
    std::memcpy(changed.data() + offsetof(Header, image_size), &size, sizeof(size));
    return changed;
  };
  EXPECT_EQ(peek(with_size(flash::kSlotSize)), VerifyStatus::kBadSize);
  EXPECT_EQ(peek(with_size(0xFFFF'FE00)), VerifyStatus::kBadSize);
  EXPECT_EQ(boot::image::peek(flash(), boot::Slot::kNone, kSlotRegion, info_), VerifyStatus::kNoImage);
}

TEST_F(ImageTest, PeekRefusesTlvsThatLeaveTheSlot) {
  const Bytes image = build_image({}, key());
  Bytes header(image.begin(), image.begin() + kHeaderStructSize);
  // The TLV area's info header ends with the slot, and claims more.
  const std::uint32_t payload = flash::kSlotSize - 0x200 - 12 - sizeof(TlvInfo);
  std::memcpy(header.data() + offsetof(Header, image_size), &payload, sizeof(payload));
  const TlvInfo claim{kTlvInfoMagic, 100};
  std::memcpy(flash().window().data() + flash::kSlotB.end() - sizeof(claim), &claim, sizeof(claim));
  EXPECT_EQ(peek(header), VerifyStatus::kBadSize);
}

TEST_F(ImageTest, PeekReportsFlashThatDoesNotAnswer) {
  flash().model().cut_power_now();
  EXPECT_EQ(boot::image::peek(flash(), boot::Slot::kA, kSlotRegion, info_), VerifyStatus::kFlashError);
  flash().model().power_on();
}

TEST_F(ImageTest, ARevokedSignersImageIsRefusedAndTheOthersIsNot) {
  const SigningKey second;
  const std::array signers{key().public_key(), second.public_key()};
  const auto verify_with = [&](std::uint32_t revoked, const SigningKey& by) {
    return boot::image::verify(build_image({}, by), {signers, revoked}, kRegion, info_);
  };
  EXPECT_EQ(verify_with(0b01, key()), VerifyStatus::kRevokedKey);
  EXPECT_EQ(verify_with(0b01, second), VerifyStatus::kOk);
  EXPECT_EQ(verify_with(0b10, key()), VerifyStatus::kOk);
  EXPECT_EQ(verify_with(0b10, second), VerifyStatus::kRevokedKey);
}

TEST_F(ImageTest, AnImageMayRevokeAnotherSignerButNotItsOwn) {
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{kTlvRevokedKeys, little_endian(0b10)}}}), VerifyStatus::kOk);
  EXPECT_EQ(info_.revoked_keys, 0b10U);
  EXPECT_EQ(verify(ImageSpec{.more_protected = {{kTlvRevokedKeys, little_endian(0b01)}}}),
            VerifyStatus::kBadTlv);
  EXPECT_EQ(verify(ImageSpec{.more_unprotected = {{kTlvRevokedKeys, little_endian(0b10)}}}),
            VerifyStatus::kUnexpectedTlv);
}

class EncryptedImageTest : public ImageTest {
 protected:
  /// Opens a copy of `image`, then verifies it.
  [[nodiscard]] VerifyStatus open_and_verify(Bytes image) {
    const VerifyStatus status = decrypt(image, kRegion, recipient().scalar());
    return status == VerifyStatus::kOk ? verify(image) : status;
  }
  [[nodiscard]] VerifyStatus open_and_verify(const ImageSpec& spec) {
    return open_and_verify(build_image(spec, key()));
  }

  static const SigningKey& recipient() {
    static const SigningKey key;
    return key;
  }
};

TEST_F(EncryptedImageTest, OpensAndVerifies) {
  for (const std::uint32_t size : {8U, 16U, 17U, 300U, 4096U}) {
    Bytes image =
        build_image({.version = {2, 0, 0, 0}, .payload_size = size, .encrypt_to = &recipient()}, key());
    const Bytes plain = build_image({.version = {2, 0, 0, 0}, .payload_size = size}, key());
    const auto payload = [&](const Bytes& from) {
      return Bytes(from.begin() + 0x200, from.begin() + 0x200 + static_cast<std::ptrdiff_t>(size));
    };
    EXPECT_NE(payload(image), payload(plain)) << "not encrypted";
    EXPECT_EQ(verify(image), VerifyStatus::kHashMismatch) << "what is signed is the plain image";
    ASSERT_EQ(decrypt(image, kRegion, recipient().scalar()), VerifyStatus::kOk);
    EXPECT_EQ(payload(image), payload(plain));
    EXPECT_EQ(verify(image), VerifyStatus::kOk);
  }
}

TEST_F(EncryptedImageTest, APlainImageStaysAsItIs) {
  Bytes image = build_image({}, key());
  const Bytes before = image;
  EXPECT_EQ(decrypt(image, kRegion, recipient().scalar()), VerifyStatus::kOk);
  EXPECT_EQ(image, before);
}

TEST_F(EncryptedImageTest, AnotherDevicesImageCannotBeOpened) {
  const SigningKey other;
  EXPECT_EQ(open_and_verify(ImageSpec{.encrypt_to = &other}), VerifyStatus::kBadEncryption);
}

TEST_F(EncryptedImageTest, FlagAndKeyComeTogether) {
  EXPECT_EQ(open_and_verify(ImageSpec{.flags = kFlagRamLoad | kFlagEncryptedAes128}),
            VerifyStatus::kMissingTlv);
  EXPECT_EQ(open_and_verify(ImageSpec{.more_unprotected = {{kTlvEciesP256, Bytes(113)}}}),
            VerifyStatus::kUnexpectedTlv);
  EXPECT_EQ(open_and_verify(ImageSpec{.more_protected = {{kTlvEciesP256, Bytes(113)}}}),
            VerifyStatus::kUnexpectedTlv);
  for (const std::size_t size : {0U, 112U, 114U}) {
    EXPECT_EQ(open_and_verify(ImageSpec{.flags = kFlagRamLoad | kFlagEncryptedAes128,
                                        .more_unprotected = {{kTlvEciesP256, Bytes(size)}}}),
              VerifyStatus::kBadTlv);
  }
  EXPECT_EQ(open_and_verify(
                ImageSpec{.more_unprotected = {{kTlvEciesP256, Bytes(113)}}, .encrypt_to = &recipient()}),
            VerifyStatus::kDuplicateTlv);
}

TEST_F(EncryptedImageTest, EveryFlippedBitOfItIsRefused) {
  const Bytes image = build_image({.payload_size = 64, .encrypt_to = &recipient()}, key());
  for (std::size_t at = 0; at < image.size(); ++at) {
    if (at >= kHeaderStructSize && at < 0x200 && at % 32 != 0) continue;
    Bytes damaged = image;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1U << (at % 8)));
    ASSERT_NE(open_and_verify(damaged), VerifyStatus::kOk) << "byte " << at;
  }
}

TEST(VerifyStatusText, EveryStatusHasItsOwn) {
  std::vector<std::string> texts;
  texts.emplace_back(to_string(VerifyStatus::kOk));
  for (int i = 1; i <= static_cast<int>(kLastVerifyStatus); ++i) {
    texts.emplace_back(to_string(static_cast<VerifyStatus>(i)));
  }
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(std::adjacent_find(texts.begin(), texts.end()), texts.end());
  EXPECT_EQ(std::find(texts.begin(), texts.end(), "unknown"), texts.end());
}

}  // namespace
