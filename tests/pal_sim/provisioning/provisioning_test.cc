// provisioning: what the factory sealed is read back; anything torn, damaged, forged or hostile is passed
// over.
#include "pal_sim/provisioning/provisioning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/pal_sim/pal/faulty_flash.h"

namespace {

using provisioning::Builder;
using provisioning::Settings;
using provisioning::Status;

using Bytes = std::vector<std::uint8_t>;
using Key = std::array<std::uint8_t, provisioning::kDeviceKeySize>;
using Nonce = std::array<std::uint8_t, provisioning::kNonceSize>;

constexpr std::size_t kNonceAt = 16;

const Bytes kCertificate(300, 0xC5);
const Key kKey{0x5E, 0xA1, 0x0F};
const Nonce kNonce{0x01, 0x02, 0x03};

Bytes sealed(const Builder& builder, std::uint32_t sequence = 1, const Key& key = kKey) {
  Nonce nonce = kNonce;
  nonce[11] = static_cast<std::uint8_t>(sequence);
  return builder.build(sequence, key, nonce);
}

/// Parses a copy, which nobody views any more.
Status parsed(Bytes blob, const Key& key = kKey) {
  Settings settings;
  return provisioning::parse(blob, key, settings);
}

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
  Bytes blob = sealed(complete(), 3);
  Settings settings;
  ASSERT_EQ(provisioning::parse(blob, kKey, settings), Status::kOk);
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
  const Bytes blob = sealed(complete());
  ASSERT_EQ(parsed(blob), Status::kOk);
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    Bytes damaged = blob;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_EQ(parsed(damaged), Status::kNotFound) << "bit " << bit;
  }
}

TEST(Provisioning, EveryTruncationIsNoticed) {
  const Bytes blob = sealed(complete());
  for (std::size_t size = 0; size < blob.size(); ++size) {
    ASSERT_EQ(parsed({blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(size)}), Status::kNotFound)
        << "size " << size;
  }
}

TEST(Provisioning, WhatFollowsTheBlobDoesNotCount) {
  Bytes blob = sealed(complete());
  blob.resize(provisioning::kMaxBlobSize, 0xFF);
  EXPECT_EQ(parsed(blob), Status::kOk) << "as it stands in erased flash";
}

TEST(Provisioning, AnotherDevicesBlobIsNone) {
  Key other = kKey;
  other[31] ^= 1;
  EXPECT_EQ(parsed(sealed(complete()), other), Status::kNotFound);
  EXPECT_EQ(parsed(sealed(complete(), 1, other)), Status::kNotFound);
  EXPECT_EQ(parsed(sealed(complete(), 1, other), other), Status::kOk);
}

TEST(Provisioning, ASwappedNonceOrHeaderIsNoticed) {
  const Bytes first = sealed(complete("first"), 1);
  const Bytes other = sealed(complete("other"), 2);
  ASSERT_EQ(first.size(), other.size());
  Bytes mixed = first;
  std::copy_n(other.begin() + kNonceAt, provisioning::kNonceSize, mixed.begin() + kNonceAt);
  ASSERT_NE(mixed, first);
  EXPECT_EQ(parsed(mixed), Status::kNotFound);
  mixed = first;
  std::copy_n(other.begin(), provisioning::kHeaderSize, mixed.begin());
  EXPECT_EQ(parsed(mixed), Status::kNotFound);
}

TEST(Provisioning, ABodyInClearIsNoBlob) {
  const Builder builder = complete();
  Bytes clear = sealed(builder);
  std::ranges::copy(builder.body(), clear.begin() + provisioning::kHeaderSize);
  EXPECT_EQ(parsed(clear), Status::kNotFound);
}

TEST(Provisioning, AForgeryIsWipedAndNotParsed) {
  Bytes blob = sealed(complete());
  const Bytes header(blob.begin(), blob.begin() + provisioning::kHeaderSize);
  blob.back() ^= 1;
  Settings settings;
  ASSERT_EQ(provisioning::parse(blob, kKey, settings), Status::kNotFound);
  EXPECT_TRUE(settings.thing_name.empty());
  const auto body = std::span(blob).subspan(provisioning::kHeaderSize, complete().body().size());
  EXPECT_TRUE(std::ranges::all_of(body, [](std::uint8_t byte) { return byte == 0; }));
}

TEST(Provisioning, NothingOfTheBodyStandsInTheSealedBlob) {
  const Bytes blob = sealed(complete());
  for (const std::string_view text : {"thing-1", "otasim.localhost", "/lab/signer.pem"}) {
    EXPECT_TRUE(std::ranges::search(blob, text).empty()) << text;
  }
  EXPECT_TRUE(std::ranges::search(blob, Bytes(16, 0x11)).empty()) << "the device's key";
  EXPECT_TRUE(std::ranges::search(blob, Bytes(16, 0xC5)).empty()) << "a certificate";
}

/// Behind a good seal only the parser's own checks stand between the bytes and the device.
TEST(Provisioning, HostileLengthsInABodyStayInside) {
  const Builder builder = complete();
  const Bytes body(builder.body().begin(), builder.body().end());
  Settings settings;
  for (std::size_t at = 0; at + 2 <= body.size(); ++at) {
    Bytes hostile = body;
    hostile[at] = 0xFF;
    hostile[at + 1] = 0xFF;
    static_cast<void>(provisioning::parse_body(hostile, settings));  // must stay inside, which ASan watches
  }
  for (std::size_t size = 1; size < 4; ++size) {
    Bytes cut = body;
    cut.insert(cut.end(), size, 0x00);
    EXPECT_EQ(provisioning::parse_body(cut, settings), Status::kNotFound)
        << "an entry of " << size << " bytes";
  }
}

TEST(Provisioning, ABodyHasAtMostItsNumberOfEntries) {
  Builder builder = complete();
  for (std::uint32_t i = 9; i < provisioning::kMaxEntries; ++i) builder.add_u8(provisioning::Tag{999}, 0);
  EXPECT_EQ(parsed(sealed(builder)), Status::kOk);
  Bytes body(builder.body().begin(), builder.body().end());
  body.insert(body.end(), {0xE7, 0x03, 0x00, 0x00});
  Settings settings;
  EXPECT_EQ(provisioning::parse_body(body, settings), Status::kNotFound);
  EXPECT_TRUE(sealed(builder.add_u8(provisioning::Tag{999}, 0)).empty());
}

TEST(Provisioning, ABlobHasAtMostItsSize) {
  const std::size_t room =
      provisioning::kMaxBlobSize - provisioning::kHeaderSize - provisioning::kSealTagSize;
  const std::size_t filler = room - complete().body().size() - 4;
  EXPECT_EQ(parsed(sealed(complete().add(provisioning::Tag{999}, Bytes(filler)))), Status::kOk);
  EXPECT_TRUE(sealed(complete().add(provisioning::Tag{999}, Bytes(filler + 1))).empty());
}

TEST(Provisioning, TextWithControlCharactersIsRefused) {
  EXPECT_EQ(parsed(sealed(complete("thing\n1"))), Status::kNotFound);
  EXPECT_EQ(parsed(sealed(complete(std::string(65, 'a')))), Status::kNotFound);
}

TEST(Provisioning, TransferSettingsAreEmptyUnlessProvisioned) {
  Bytes blob = sealed(complete());
  Settings settings;
  ASSERT_EQ(provisioning::parse(blob, kKey, settings), Status::kOk);
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
  Bytes blob = sealed(complete().add_transfer(transfer));
  Settings settings;
  ASSERT_EQ(provisioning::parse(blob, kKey, settings), Status::kOk);
  EXPECT_EQ(settings.transfer, transfer);
}

TEST(Provisioning, ATransferSettingOutOfItsRangeMakesTheBlobInvalid) {
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
    EXPECT_EQ(parsed(sealed(complete().add(c.tag, c.value))), c.expected)
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
    EXPECT_EQ(parsed(sealed(complete().add_u32(c.tag, c.least))), Status::kOk) << "tag " << c.tag;
    for (const std::uint32_t too_short : {c.least - 1, 0U}) {
      EXPECT_EQ(parsed(sealed(complete().add_u32(c.tag, too_short))), Status::kNotFound)
          << "tag " << c.tag << " value " << too_short;
    }
    EXPECT_EQ(parsed(sealed(complete().add(c.tag, Bytes{16, 0}))), Status::kNotFound)
        << "tag " << c.tag << " of two bytes";
  }
}

TEST(Provisioning, AnEntropySeedOfAnotherSizeMakesTheBlobInvalid) {
  const auto with_seed = [](std::size_t size) {
    return parsed(sealed(complete().add(provisioning::kTagEntropySeed, Bytes(size, 0x77))));
  };
  EXPECT_EQ(with_seed(0), Status::kNotFound);
  EXPECT_EQ(with_seed(31), Status::kNotFound);
  EXPECT_EQ(with_seed(32), Status::kOk);
  EXPECT_EQ(with_seed(64), Status::kOk);
  EXPECT_EQ(with_seed(65), Status::kNotFound);
  EXPECT_EQ(parsed(sealed(complete())), Status::kOk) << "it may be absent";
}

TEST(Provisioning, MissingIdentityIsIncomplete) {
  Builder builder;
  builder.add_text(provisioning::kTagThingName, "thing-1");
  EXPECT_EQ(parsed(sealed(builder)), Status::kIncomplete);
}

TEST(Provisioning, BlankFlashHasNone) {
  native::NativeFlash flash;
  std::vector<std::uint8_t> buffer(provisioning::kMaxBlobSize);
  Settings settings;
  EXPECT_EQ(provisioning::load(flash, kKey, buffer, settings), Status::kNotFound);
}

TEST(Provisioning, TheNewerCopyWinsAndADamagedOneIsPassedOver) {
  native::NativeFlash flash;
  std::vector<std::uint8_t> buffer(provisioning::kMaxBlobSize);
  Settings settings;
  write_copy(flash, flash::kProvisioning0.offset, sealed(complete("old"), 1));
  write_copy(flash, flash::kProvisioning1.offset, sealed(complete("new"), 2));
  ASSERT_EQ(provisioning::load(flash, kKey, buffer, settings), Status::kOk);
  EXPECT_EQ(settings.thing_name, "new");
  const std::uint8_t zero = 0;
  ASSERT_EQ(flash.program(flash::kProvisioning1.offset + 40, {&zero, 1}), flash::Status::kOk);
  ASSERT_EQ(provisioning::load(flash, kKey, buffer, settings), Status::kOk);
  EXPECT_EQ(settings.thing_name, "old");
}

/// Reads one bit of a byte wrong, in one read and no other: a marginal cell between two readings.
class MisreadingFlash : public pal_test::FaultyFlash {
 public:
  MisreadingFlash(flash::FlashDriver& part, int nth) : FaultyFlash(part), reads_to_go_(nth) {}

  [[nodiscard]] flash::Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    const flash::Status status = FaultyFlash::read(offset, out);
    if (--reads_to_go_ == 0) out[provisioning::kHeaderSize] ^= 1;
    return status;
  }

 private:
  int reads_to_go_;
};

/// load() reads both copies, and the one it chose once more.
constexpr int kReadOfTheChosen = 3;

class ChosenCopy : public testing::Test {
 protected:
  void write_both() {
    write_copy(flash_, flash::kProvisioning0.offset, sealed(complete("newer"), 2));
    write_copy(flash_, flash::kProvisioning1.offset, sealed(complete("older"), 1));
  }
  Status load(flash::FlashDriver& flash) { return provisioning::load(flash, kKey, buffer_, settings_); }

  native::NativeFlash flash_;
  Bytes buffer_ = Bytes(provisioning::kMaxBlobSize);
  Settings settings_;
};

TEST_F(ChosenCopy, ThatCannotBeReadAgainLeavesTheOther) {
  write_both();
  pal_test::FaultyFlash faulty(flash_);
  faulty.plan(pal_test::Fault::kReadFails, kReadOfTheChosen);
  ASSERT_EQ(load(faulty), Status::kOk);
  EXPECT_TRUE(faulty.has_struck());
  EXPECT_EQ(settings_.thing_name, "older");
  EXPECT_EQ(settings_.sequence, 1U);
  EXPECT_EQ(settings_.device_key.size(), 121U) << "views what was read last";
}

TEST_F(ChosenCopy, ThatReadsAnotherWayTheSecondTimeLeavesTheOther) {
  write_both();
  MisreadingFlash misreading(flash_, kReadOfTheChosen);
  ASSERT_EQ(load(misreading), Status::kOk);
  EXPECT_EQ(settings_.thing_name, "older");
}

TEST_F(ChosenCopy, ThatCannotBeReadAgainIsAFlashErrorIfItWasTheOnlyOne) {
  write_copy(flash_, flash::kProvisioning0.offset, sealed(complete("only"), 2));
  pal_test::FaultyFlash faulty(flash_);
  faulty.plan(pal_test::Fault::kReadFails, kReadOfTheChosen);
  EXPECT_EQ(load(faulty), Status::kFlashError);
  EXPECT_TRUE(settings_.thing_name.empty());
  MisreadingFlash misreading(flash_, kReadOfTheChosen);
  EXPECT_EQ(load(misreading), Status::kNotFound);
}

TEST_F(ChosenCopy, IsTheOneThatCanBeRead) {
  write_both();
  for (const std::uint32_t nth : {1U, 2U}) {
    pal_test::FaultyFlash faulty(flash_);
    faulty.plan(pal_test::Fault::kReadFails, nth);
    ASSERT_EQ(load(faulty), Status::kOk);
    EXPECT_EQ(settings_.thing_name, nth == 1 ? "older" : "newer");
  }
  pal_test::FaultyFlash dead(flash_);
  dead.wear(pal_test::Fault::kReadFails, 0, flash::kControllerPart.size);
  EXPECT_EQ(load(dead), Status::kFlashError);
}

/// The first copy is "good"; whatever the second one, newer by its header, became: it is passed over.
class SecondCopy : public testing::Test {
 protected:
  void SetUp() override { write_copy(flash_, flash::kProvisioning0.offset, sealed(complete("good"), 1)); }

  void expect_good(std::span<const std::uint8_t> second, const char* what) {
    write_copy(flash_, flash::kProvisioning1.offset, second);
    Settings settings;
    ASSERT_EQ(provisioning::load(flash_, kKey, buffer_, settings), Status::kOk) << what;
    EXPECT_EQ(settings.thing_name, "good") << what;
    EXPECT_EQ(settings.sequence, 1U) << what;
  }

  native::NativeFlash flash_;
  Bytes buffer_ = Bytes(provisioning::kMaxBlobSize);
};

TEST_F(SecondCopy, ThatIsNotAuthenticIsPassedOver) {
  const Bytes second = sealed(complete("newer"), 2);
  Key other = kKey;
  other[0] ^= 0x80;
  expect_good(sealed(complete("newer"), 2, other), "sealed with another key");
  for (std::size_t bit = 0; bit < second.size() * 8; bit += 97) {
    Bytes damaged = second;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    expect_good(damaged, "a flipped bit");
  }
  expect_good(std::span(second).first(second.size() - 1), "truncated");
  Bytes swapped = second;
  std::reverse(swapped.begin() + kNonceAt, swapped.begin() + kNonceAt + provisioning::kNonceSize);
  expect_good(swapped, "another nonce");
}

TEST_F(SecondCopy, WithAValueOutOfItsRangeIsPassedOver) {
  expect_good(sealed(complete("newer\n"), 2), "authentic, but no name");
}

TEST_F(SecondCopy, ThatLacksAnEntryIsPassedOver) {
  Builder builder;
  builder.add_text(provisioning::kTagThingName, "newer");
  expect_good(sealed(builder, 2), "incomplete");
}

TEST(Provisioning, TwoBadCopiesAreNone) {
  native::NativeFlash flash;
  Bytes buffer(provisioning::kMaxBlobSize);
  Bytes blob = sealed(complete());
  blob[provisioning::kHeaderSize] ^= 1;
  write_copy(flash, flash::kProvisioning0.offset, blob);
  write_copy(flash, flash::kProvisioning1.offset, blob);
  Settings settings;
  EXPECT_EQ(provisioning::load(flash, kKey, buffer, settings), Status::kNotFound);
  EXPECT_TRUE(settings.device_key.empty());
}

TEST_F(SecondCopy, WhoseWriteWasCutAnywhereIsPassedOver) {
  const Bytes second = sealed(complete("newer"), 2);
  const std::uint32_t pages =
      (static_cast<std::uint32_t>(second.size()) + flash::kPageSize - 1) / flash::kPageSize;
  for (std::uint32_t page = 0; page < pages; ++page) {
    for (const std::uint32_t marginal : {0U, 1U, flash::kPageSize}) {
      SCOPED_TRACE(testing::Message() << "page " << page << ", " << marginal << " bytes marginal");
      ASSERT_EQ(flash::erase_range(flash_, flash::kProvisioning1.offset, flash::kProvisioning1.size),
                flash::Status::kOk);
      flash_.model().cut_power_at(
          {.operation = flash_.model().sequence() + 1 + page, .bytes = 7, .marginal_bytes = marginal});
      ASSERT_EQ(flash::program_range(flash_, flash::kProvisioning1.offset, second), flash::Status::kNoDevice);
      constexpr int kBoots = 10;
      for (int boot = 0; boot < kBoots; ++boot) {
        flash_.model().power_on();
        Settings settings;
        ASSERT_EQ(provisioning::load(flash_, kKey, buffer_, settings), Status::kOk);
        // The last page may have been written as a whole, if its marginal bits so read.
        const bool may_be_whole = page + 1 == pages && marginal == flash::kPageSize;
        if (!may_be_whole) {
          ASSERT_EQ(settings.thing_name, "good");
        }
      }
    }
  }
}

}  // namespace
