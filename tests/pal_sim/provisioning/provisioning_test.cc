// provisioning: what the factory writes is read back; anything torn, damaged or hostile is passed over.
#include "pal_sim/provisioning/provisioning.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pal_sim/flash/crc32.h"
#include "pal_sim/flash/flash_map.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "qemu_boards/native/native_flash.h"

namespace {

using provisioning::Builder;
using provisioning::Settings;
using provisioning::Status;

const std::vector<std::uint8_t> kCertificate(300, 0xC5);

Builder complete(std::string_view thing = "thing-1") {
  Builder builder;
  builder.add_text(provisioning::kTagThingName, thing)
      .add_text(provisioning::kTagEndpointHost, "otasim.localhost")
      .add_u16(provisioning::kTagMqttPort, 8883)
      .add(provisioning::kTagRootCa, kCertificate)
      .add(provisioning::kTagDeviceCertificate, kCertificate)
      .add(provisioning::kTagDeviceKey, std::vector<std::uint8_t>(121, 0x11))
      .add(provisioning::kTagMacAddress, std::vector<std::uint8_t>{2, 0, 0, 0, 0, 7})
      .add_u32(provisioning::kTagSelfTestMs, 1234)
      .add_code_signer("/lab/signer.pem", kCertificate);
  return builder;
}

void write_copy(native::NativeFlash& flash, std::uint32_t offset, std::span<const std::uint8_t> blob) {
  ASSERT_EQ(flash::erase_range(flash, offset, flash::kProvisioning0.size), flash::Status::kOk);
  ASSERT_EQ(flash::program_range(flash, offset, blob), flash::Status::kOk);
}

TEST(Provisioning, RoundTripKeepsEveryEntry) {
  const std::vector<std::uint8_t> blob = complete().build(3);
  Settings settings;
  ASSERT_EQ(provisioning::parse(blob, settings), Status::kOk);
  EXPECT_EQ(settings.thing_name, "thing-1");
  EXPECT_EQ(settings.endpoint_host, "otasim.localhost");
  EXPECT_EQ(settings.mqtt_port, 8883);
  EXPECT_EQ(settings.self_test_ms, 1234U);
  EXPECT_EQ(settings.request_wait_ms, 10000U) << "absent timers keep AWS's defaults";
  EXPECT_EQ(settings.mac[5], 7);
  EXPECT_EQ(settings.sequence, 3U);
  EXPECT_EQ(settings.device_key.size(), 121U);
  EXPECT_EQ(settings.code_signer("/lab/signer.pem").size(), kCertificate.size());
  EXPECT_TRUE(settings.code_signer("/lab/other.pem").empty());
}

TEST(Provisioning, EveryFlippedBitIsNoticed) {
  const std::vector<std::uint8_t> blob = complete().build(1);
  Settings settings;
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    std::vector<std::uint8_t> damaged = blob;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_EQ(provisioning::parse(damaged, settings), Status::kNotFound) << "bit " << bit;
  }
}

TEST(Provisioning, EveryTruncationIsNoticed) {
  const std::vector<std::uint8_t> blob = complete().build(1);
  Settings settings;
  for (std::size_t size = 0; size < blob.size(); ++size) {
    ASSERT_EQ(provisioning::parse(std::span(blob).first(size), settings), Status::kNotFound)
        << "size " << size;
  }
}

/// Replaces the checksum so that only the parser's own checks stand between the bytes and the device.
void reseal(std::vector<std::uint8_t>& blob) {
  const std::uint32_t crc = flash::crc32(std::span(blob).first(blob.size() - 4));
  for (std::size_t i = 0; i < 4; ++i) blob[blob.size() - 4 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
}

TEST(Provisioning, HostileLengthsUnderAValidChecksumStayInside) {
  const std::vector<std::uint8_t> blob = complete().build(1);
  Settings settings;
  for (std::size_t at = 16; at + 4 < blob.size(); ++at) {
    std::vector<std::uint8_t> hostile = blob;
    hostile[at] = 0xFF;
    hostile[at + 1] = 0xFF;
    reseal(hostile);
    static_cast<void>(provisioning::parse(hostile, settings));  // must stay inside, which ASan watches
  }
  std::vector<std::uint8_t> many = blob;
  many[6] = 0xFF;  // entry count beyond what the body holds
  reseal(many);
  EXPECT_EQ(provisioning::parse(many, settings), Status::kNotFound);
}

TEST(Provisioning, TextWithControlCharactersIsRefused) {
  Settings settings;
  EXPECT_EQ(provisioning::parse(complete("thing\n1").build(1), settings), Status::kNotFound);
  EXPECT_EQ(provisioning::parse(complete(std::string(65, 'a')).build(1), settings), Status::kNotFound);
}

TEST(Provisioning, MissingIdentityIsIncomplete) {
  Builder builder;
  builder.add_text(provisioning::kTagThingName, "thing-1");
  Settings settings;
  EXPECT_EQ(provisioning::parse(builder.build(1), settings), Status::kIncomplete);
}

TEST(Provisioning, BlankFlashHasNone) {
  native::NativeFlash flash;
  std::vector<std::uint8_t> buffer(provisioning::kMaxBlobSize);
  Settings settings;
  EXPECT_EQ(provisioning::load(flash, buffer, settings), Status::kNotFound);
}

TEST(Provisioning, TheNewerCopyWinsAndADamagedOneIsPassedOver) {
  native::NativeFlash flash;
  std::vector<std::uint8_t> buffer(provisioning::kMaxBlobSize);
  Settings settings;
  write_copy(flash, flash::kProvisioning0.offset, complete("old").build(1));
  write_copy(flash, flash::kProvisioning1.offset, complete("new").build(2));
  ASSERT_EQ(provisioning::load(flash, buffer, settings), Status::kOk);
  EXPECT_EQ(settings.thing_name, "new");
  const std::uint8_t zero = 0;
  ASSERT_EQ(flash.program(flash::kProvisioning1.offset + 40, {&zero, 1}), flash::Status::kOk);
  ASSERT_EQ(provisioning::load(flash, buffer, settings), Status::kOk);
  EXPECT_EQ(settings.thing_name, "old");
}

TEST(Provisioning, AWriteCutAtAnyByteLeavesTheOtherCopy) {
  const std::vector<std::uint8_t> blob = complete("second").build(2);
  std::vector<std::uint8_t> buffer(provisioning::kMaxBlobSize);
  for (std::size_t cut = 0; cut < blob.size(); cut += 13) {
    native::NativeFlash flash;
    write_copy(flash, flash::kProvisioning0.offset, complete("first").build(1));
    ASSERT_EQ(flash::program_range(flash, flash::kProvisioning1.offset, std::span(blob).first(cut)),
              flash::Status::kOk);
    Settings settings;
    ASSERT_EQ(provisioning::load(flash, buffer, settings), Status::kOk) << "cut at " << cut;
    EXPECT_EQ(settings.thing_name, "first");
  }
}

}  // namespace
