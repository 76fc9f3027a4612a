// Images byte for byte as MCUboot's format has them, written down once: the bootloader and the host's tools
// must take them, and read what was written.
//
// From MCUboot's documentation ("Image format" in its docs/design.md, "Encrypted images" in
// docs/encrypted_images.md) and the order in which its tool writes: the protected area begins with the
// security counter (0x50); the other one holds SHA-256 (0x10), key hash (0x01), ECDSA (0x22), and last the
// ECIES key (0x32). The header is padded to 0x200 bytes, with 0 by the linker or with 0xFF by the tool; an
// encrypted payload is filled up with zeros to 16 bytes.
//
// The numbers were put together with openssl and Python's struct and hmac, by nothing of ours: `openssl
// ecparam -genkey` for three keys (signer, device, ephemeral), `openssl dgst -sha256 -sign` over header,
// payload and protected area, `openssl pkeyutl -derive` for the shared secret, HMAC for HKDF and the tag, and
// `openssl enc -aes-128-ctr -iv 0` for the payload key (A0 A1 .. AF) and the payload.
#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "agent/boot/image.h"
#include "sim/image/image.h"
#include "tests/agent/boot/fixed_keys.h"

namespace {

using namespace boot_test::fixed;
using boot::image::Info;
using boot::image::VerifyStatus;
using Bytes = std::vector<std::uint8_t>;

constexpr boot::image::LoadRegion kRegion{0x0010'0000, 0x4000};

struct Fixture {
  std::string_view header_hex;
  std::uint8_t pad;  ///< behind the header's 32 bytes
  std::string_view payload_hex;
  std::string_view protected_tlvs_hex;
  std::string_view tlvs_hex;
};

/// Version 1.2.345+6, counter 7.
constexpr Fixture kPlain{
    .header_hex = "3db8f3960000100000020c000c00000020000000010259010600000000000000",
    .pad = 0x00,
    .payload_hex = "0000012011021000fee7fee7",
    .protected_tlvs_hex = "08690c005000040007000000",
    .tlvs_hex =
        "07699700100020009067c51de1da9339505227e07d579a38a7a6c39061c74dc78b21ac2ff968d7b10100200041b92137"
        "8b0cb58fcb210ceb17da471eb162ecb69fdde5b979b193d73ca4b6ea220047003045022100eba042bd2c541ef5bdd730"
        "d608d2f5c595b11b1a1470f474c86d97ddddd051a502202a1bcc353b9fa00a17caeb31f4379e6e4657dd527a77d9ae0e"
        "59516b9633077b"};

/// Version 2.0.1, a recovery image with counter 3 that revokes signer 1, with a boot record (0x60) and a
/// dependency (0x40), which are for others.
constexpr Fixture kProtected{
    .header_hex = "3db8f3960000100000023e002000000020000000020001000000000000000000",
    .pad = 0xFF,
    .payload_hex = "0000012011021000fee7fee72a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a",
    .protected_tlvs_hex =
        "08693e00500004000300000060000e00a301636170700263312e3003410540000c00000000000405060007000000a000"
        "040001000000a100040002000000",
    .tlvs_hex =
        "07699800100020006baf13bd563ff8f9fb162ddcae89023e1d2ec63717eb7f51292cf5593358c8da0100200041b92137"
        "8b0cb58fcb210ceb17da471eb162ecb69fdde5b979b193d73ca4b6ea2200480030460221008dd6de6e31a3dd599ea676"
        "171ab4e88aff36b718f9b86856358b1b9e01b2c65b022100db5d361dfb536fd02ac231b7fb0a51f3ccdfd5d5a4e2105f"
        "10d33761ca5f6695"};

/// Version 3.1.0+9, counter 12; the payload's 21 bytes are 32 with the padding.
constexpr Fixture kEncrypted{
    .header_hex = "3db8f3960000100000020c002000000024000000030100000900000000000000",
    .pad = 0x00,
    .payload_hex = "b88290e94a56d76dacb8b61cd9642144e1ebb3ce6315267cf29bb45c2d5cb200",
    .protected_tlvs_hex = "08690c00500004000c000000",
    .tlvs_hex =
        "07690c01100020007be3c4a3d603f7c25331c4d7001b40a90e19dc0732f31fb2cfea1a3991aa21850100200041b92137"
        "8b0cb58fcb210ceb17da471eb162ecb69fdde5b979b193d73ca4b6ea22004700304502210089fe951d1da0b42c6afc2b"
        "1ddea5a24303d07a1c905c55712b296f42afe9aaec022019bec73e2d8cd742d9d744bffe06df4279a2ac6233a7938468"
        "097f11c805952332007100045046ace0b7f9d3ccca8f3e353f7559129d4f8e1a137fe1ffc8d244029cfe6346e0c7bf36"
        "6e99c853bfff6b03654fdcae96a2cfe777dbab587cfe35f011fa630e03d84c55e0dcdb54bc7ae0aac39319046d194684"
        "a60f517ca4509143b6db9266bcfdd96bc9c14930f07fe41aaed7a9d1"};

Bytes bytes_of(const Fixture& fixture) {
  Bytes image = from_hex(fixture.header_hex);
  image.resize(0x200, fixture.pad);
  for (const std::string_view hex : {fixture.payload_hex, fixture.protected_tlvs_hex, fixture.tlvs_hex}) {
    const Bytes part = from_hex(hex);
    image.insert(image.end(), part.begin(), part.end());
  }
  return image;
}

/// As the bootloader does it; `image` holds the plain one then.
VerifyStatus open_and_verify(Bytes& image, Info& info) {
  const std::array signers{signer()};
  const VerifyStatus opened = boot::image::decrypt(image, kRegion, array_of<32>(kDeviceScalarHex));
  return opened == VerifyStatus::kOk ? boot::image::verify(image, {signers, 0}, kRegion, info) : opened;
}

/// The host's parser says the same.
void expect_host_agrees(const Fixture& fixture, const Info& info) {
  const Bytes image = bytes_of(fixture);
  const auto device = host_key(kDevicePem);
  const auto seen = otasim::image::verify(image, host_key(kSignerPem), &device);
  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_EQ(seen->version.major, info.version.major);
  EXPECT_EQ(seen->version.minor, info.version.minor);
  EXPECT_EQ(seen->version.revision, info.version.revision);
  EXPECT_EQ(seen->version.build_number, info.version.build_number);
  EXPECT_EQ(seen->security_counter, info.security_counter);
  EXPECT_EQ(seen->kind.value_or(0), static_cast<std::uint32_t>(info.kind));
  EXPECT_EQ(seen->revoked_keys.value_or(0), info.revoked_keys);
  EXPECT_EQ(seen->total_size, info.total_size);
  EXPECT_EQ(seen->load_address, info.load_address);
}

TEST(McubootFormat, APlainImage) {
  Bytes image = bytes_of(kPlain);
  Info info;
  ASSERT_EQ(open_and_verify(image, info), VerifyStatus::kOk);
  EXPECT_EQ(info.version, (boot::image::Version{1, 2, 345, 6}));
  EXPECT_EQ(info.security_counter, 7U);
  EXPECT_EQ(info.kind, boot::image::Kind::kApplication);
  EXPECT_EQ(info.revoked_keys, 0U);
  EXPECT_EQ(info.header_size, 0x200U);
  EXPECT_EQ(info.total_size, image.size());
  expect_host_agrees(kPlain, info);
}

TEST(McubootFormat, SeveralProtectedTlvs) {
  Bytes image = bytes_of(kProtected);
  Info info;
  ASSERT_EQ(open_and_verify(image, info), VerifyStatus::kOk);
  EXPECT_EQ(info.version, (boot::image::Version{2, 0, 1, 0}));
  EXPECT_EQ(info.security_counter, 3U);
  EXPECT_EQ(info.kind, boot::image::Kind::kRecovery);
  EXPECT_EQ(info.revoked_keys, 0b10U);
  expect_host_agrees(kProtected, info);
}

TEST(McubootFormat, AnEncryptedImage) {
  Bytes image = bytes_of(kEncrypted);
  Info info;
  ASSERT_EQ(open_and_verify(image, info), VerifyStatus::kOk);
  EXPECT_EQ(info.version, (boot::image::Version{3, 1, 0, 9}));
  EXPECT_EQ(info.security_counter, 12U);
  // Stack pointer, reset vector, two instructions, nine times 55, zeros.
  const Bytes plain = from_hex("0000012011021000fee7fee75555555555555555550000000000000000000000");
  EXPECT_EQ(Bytes(image.begin() + 0x200, image.begin() + 0x220), plain);
  expect_host_agrees(kEncrypted, info);
}

TEST(McubootFormat, NoByteOfThemIsOptional) {
  for (const Fixture& fixture : {kPlain, kProtected, kEncrypted}) {
    const Bytes image = bytes_of(fixture);
    for (std::size_t at = 0; at < image.size(); at += at < 0x20 || at >= 0x200 ? 1 : 32) {
      Bytes damaged = image;
      damaged[at] ^= 1;
      Info info;
      ASSERT_NE(open_and_verify(damaged, info), VerifyStatus::kOk) << at;
    }
  }
}

}  // namespace
