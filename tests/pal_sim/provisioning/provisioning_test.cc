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

TEST(Provisioning, TransferSettingsAreEmptyUnlessProvisioned) {
  Settings settings;
  ASSERT_EQ(provisioning::parse(complete().build(1), settings), Status::kOk);
  EXPECT_EQ(settings.transfer, provisioning::TransferSettings{});
}

TEST(Provisioning, RoundTripKeepsTheTransferSettings) {
  provisioning::TransferSettings transfer;
  transfer.block_size = 1024;
  transfer.blocks_per_request = 31;
  transfer.blocks_in_flight = 64;
  transfer.protocols = {.enabled = provisioning::kAllProtocols, .primary = provisioning::kProtocolHttp};
  transfer.stream_format = provisioning::StreamFormat::kJson;
  transfer.start_next = true;
  transfer.max_request_momentum = 5;
  transfer.status_frequency = 16;
  Settings settings;
  ASSERT_EQ(provisioning::parse(complete().add_transfer(transfer).build(1), settings), Status::kOk);
  EXPECT_EQ(settings.transfer, transfer);
}

TEST(Provisioning, ATransferSettingOutOfItsRangeMakesTheBlobInvalid) {
  using Bytes = std::vector<std::uint8_t>;
  struct Case {
    provisioning::Tag tag;
    Bytes value;
    Status expected;
  };
  const std::vector<Case> cases{
      {provisioning::kTagBlockSize, {0x00, 0x01, 0, 0}, Status::kOk},        // 256
      {provisioning::kTagBlockSize, {0x00, 0x10, 0, 0}, Status::kOk},        // 4096
      {provisioning::kTagBlockSize, {0x80, 0x00, 0, 0}, Status::kNotFound},  // 128
      {provisioning::kTagBlockSize, {0x00, 0x20, 0, 0}, Status::kNotFound},  // 8192
      {provisioning::kTagBlockSize, {0x01, 0x01, 0, 0}, Status::kNotFound},  // 257
      {provisioning::kTagBlockSize, {0, 0, 0, 0}, Status::kNotFound},
      {provisioning::kTagBlockSize, {0x00, 0x01}, Status::kNotFound},
      {provisioning::kTagBlocksPerRequest, {0x00, 0x02}, Status::kOk},  // 512
      {provisioning::kTagBlocksPerRequest, {0x01, 0x02}, Status::kNotFound},
      {provisioning::kTagBlocksPerRequest, {0, 0}, Status::kNotFound},
      {provisioning::kTagBlocksPerRequest, {1}, Status::kNotFound},
      {provisioning::kTagBlocksInFlight, {0x00, 0x04}, Status::kOk},  // 1024
      {provisioning::kTagBlocksInFlight, {0x01, 0x04}, Status::kNotFound},
      {provisioning::kTagBlocksInFlight, {0, 0}, Status::kNotFound},
      {provisioning::kTagDataProtocols, {1, 1}, Status::kOk},
      {provisioning::kTagDataProtocols, {2, 2}, Status::kOk},
      {provisioning::kTagDataProtocols, {3, 2}, Status::kOk},
      {provisioning::kTagDataProtocols, {1, 2}, Status::kNotFound},  // prefers what is not enabled
      {provisioning::kTagDataProtocols, {3, 3}, Status::kNotFound},
      {provisioning::kTagDataProtocols, {3, 0}, Status::kNotFound},
      {provisioning::kTagDataProtocols, {0, 1}, Status::kNotFound},
      {provisioning::kTagDataProtocols, {7, 1}, Status::kNotFound},
      {provisioning::kTagDataProtocols, {1}, Status::kNotFound},
      {provisioning::kTagStreamFormat, {0}, Status::kOk},
      {provisioning::kTagStreamFormat, {1}, Status::kOk},
      {provisioning::kTagStreamFormat, {2}, Status::kNotFound},
      {provisioning::kTagStreamFormat, {}, Status::kNotFound},
      {provisioning::kTagStartNext, {1}, Status::kOk},
      {provisioning::kTagStartNext, {2}, Status::kNotFound},
      {provisioning::kTagStartNext, {1, 0}, Status::kNotFound},
      {provisioning::kTagMaxRequestMomentum, {1, 0, 0, 0}, Status::kOk},
      {provisioning::kTagMaxRequestMomentum, {0, 0, 0, 0}, Status::kNotFound},
      {provisioning::kTagStatusFrequency, {1, 0, 0, 0}, Status::kOk},
      {provisioning::kTagStatusFrequency, {0, 0, 0, 0}, Status::kNotFound},
      {provisioning::kTagStatusFrequency, {1}, Status::kNotFound},
  };
  for (const Case& c : cases) {
    Settings settings;
    EXPECT_EQ(provisioning::parse(complete().add(c.tag, c.value).build(1), settings), c.expected)
        << "tag " << c.tag << " value " << testing::PrintToString(c.value);
  }
}

/// A timer that runs out at once makes every transfer, or every trial, fail.
TEST(Provisioning, ATimerBelowItsLeastMakesTheBlobInvalid) {
  struct Case {
    provisioning::Tag tag;
    std::uint32_t least;
  };
  for (const Case& c : {Case{provisioning::kTagRequestWaitMs, 10}, Case{provisioning::kTagSelfTestMs, 100}}) {
    Settings settings;
    EXPECT_EQ(provisioning::parse(complete().add_u32(c.tag, c.least).build(1), settings), Status::kOk)
        << "tag " << c.tag;
    for (const std::uint32_t too_short : {c.least - 1, 0U}) {
      EXPECT_EQ(provisioning::parse(complete().add_u32(c.tag, too_short).build(1), settings),
                Status::kNotFound)
          << "tag " << c.tag << " value " << too_short;
    }
    EXPECT_EQ(provisioning::parse(complete().add(c.tag, std::vector<std::uint8_t>{16, 0}).build(1), settings),
              Status::kNotFound)
        << "tag " << c.tag << " of two bytes";
  }
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
