// The NBD protocol without a socket: what a client may say, and what becomes of one that says something else.
#include "sim/flash/nbd_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/sim/flash/flash_part_fixture.h"
#include "tests/sim/flash/nbd_client.h"

namespace otasim::flash_file {
namespace {

constexpr std::uint64_t kOptionReplyMagic = 0x3E889045565A9;
constexpr std::uint32_t kUnsupported = 0x80000001;
constexpr std::uint32_t kInvalid = 0x80000003;
constexpr std::uint32_t kUnknown = 0x80000006;
constexpr std::uint16_t kFlags = 0x0005;  // has flags, can flush

class NbdConnectionTest : public FlashPartFixture {
 protected:
  void SetUp() override {
    part = power_on();
    disk = std::make_unique<NorDisk>(*part);
    connect();
  }
  void connect() {
    connection = std::make_unique<NbdConnection>(
        *disk, [this](const RefusedWrite& write) { refused.push_back(write); });
  }
  static Bytes fields(std::initializer_list<NbdClient::Field> all) { return NbdClient::fields(all); }
  static Bytes option(std::uint32_t number, const Bytes& data = {}) {
    return NbdClient::option(number, data);
  }
  static Bytes info(std::uint32_t number, const std::string& name, std::uint32_t name_length,
                    std::initializer_list<std::uint16_t> wanted, std::uint16_t count) {
    Bytes data = fields({{name_length, 4}});
    data.insert(data.end(), name.begin(), name.end());
    const Bytes number_of = fields({{count, 2}});
    data.insert(data.end(), number_of.begin(), number_of.end());
    for (const std::uint16_t one : wanted) {
      const Bytes bytes_of = fields({{one, 2}});
      data.insert(data.end(), bytes_of.begin(), bytes_of.end());
    }
    return option(number, data);
  }
  static Bytes request(std::uint16_t type, std::uint64_t offset, std::uint32_t length,
                       std::uint16_t flags = 0) {
    return fields({{0x25609513, 4}, {flags, 2}, {type, 2}, {0xC00C1E, 8}, {offset, 8}, {length, 4}});
  }
  static Bytes reply(std::uint32_t error) { return fields({{0x67446698, 4}, {error, 4}, {0xC00C1E, 8}}); }
  static Bytes join(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& one : parts) all.insert(all.end(), one.begin(), one.end());
    return all;
  }
  /// All of it is one message, and is taken when it is whole, not before. @returns the answer
  Bytes say(const Bytes& message) {
    for (std::size_t i = 0; i < message.size(); i = i * 2 + 1)
      EXPECT_EQ(connection->take(std::span(message).first(i)), 0U) << i;
    EXPECT_EQ(connection->take(message), message.size());
    return answer();
  }
  Bytes answer() {
    const Bytes output(connection->output().begin(), connection->output().end());
    connection->clear_output();
    return output;
  }
  void begin_options() {
    (void)answer();
    ASSERT_EQ(say(fields({{3, 4}})), Bytes{});
  }
  void begin_transmission() {
    begin_options();
    (void)say(info(7, "", 0, {}, 0));
  }

  std::unique_ptr<FlashPart> part;
  std::unique_ptr<NorDisk> disk;
  std::unique_ptr<NbdConnection> connection;
  std::vector<RefusedWrite> refused;
};

TEST_F(NbdConnectionTest, GreetsAsAFixedNewstyleServer) {
  EXPECT_EQ(answer(), fields({{0x4E42444D41474943, 8}, {0x49484156454F5054, 8}, {3, 2}}));
}

TEST_F(NbdConnectionTest, GoTellsSizeAndThatSinglePagesMayBeWritten) {
  begin_options();
  EXPECT_EQ(say(info(7, "", 0, {3}, 1)), fields({{kOptionReplyMagic, 8},
                                                 {7, 4},
                                                 {3, 4},
                                                 {12, 4},
                                                 {0, 2},
                                                 {0x1000000, 8},
                                                 {kFlags, 2},
                                                 {kOptionReplyMagic, 8},
                                                 {7, 4},
                                                 {3, 4},
                                                 {14, 4},
                                                 {3, 2},
                                                 {1, 4},
                                                 {4096, 4},
                                                 {0x100000, 4},
                                                 {kOptionReplyMagic, 8},
                                                 {7, 4},
                                                 {1, 4},
                                                 {0, 4}}));
  EXPECT_EQ(say(request(3, 0, 0)), reply(0)) << "transmission has begun";
}

TEST_F(NbdConnectionTest, InfoTellsTheSameAndOptionsGoOn) {
  begin_options();
  const Bytes told = say(info(6, "", 0, {0, 3}, 2));
  EXPECT_EQ(told.size(), 3 * 20U + 12 + 14);
  const Bytes again = say(info(6, "", 0, {}, 0));
  EXPECT_EQ(told, again);
}

TEST_F(NbdConnectionTest, TheOldWayIntoTransmissionWorks) {
  begin_options();
  EXPECT_EQ(say(option(1)), fields({{0x1000000, 8}, {kFlags, 2}}));
  EXPECT_EQ(say(request(3, 0, 0)), reply(0));
  connect();
  (void)answer();
  ASSERT_EQ(say(fields({{1, 4}})), Bytes{}) << "does not do without zeroes";
  EXPECT_EQ(say(option(1)).size(), 134U);
}

TEST_F(NbdConnectionTest, ANameThatIsNoneOfOursIsRefused) {
  begin_options();
  EXPECT_EQ(say(info(7, "disk", 4, {}, 0)), fields({{kOptionReplyMagic, 8}, {7, 4}, {kUnknown, 4}, {0, 4}}));
  EXPECT_FALSE(connection->is_closed());
  EXPECT_EQ(say(option(1, {'d'})), Bytes{});
  EXPECT_TRUE(connection->is_closed()) << "this option has no error";
}

TEST_F(NbdConnectionTest, AnInfoRequestWhoseLengthsDoNotFitIsInvalid) {
  begin_options();
  const Bytes invalid = fields({{kOptionReplyMagic, 8}, {7, 4}, {kInvalid, 4}, {0, 4}});
  EXPECT_EQ(say(info(7, "", 1, {}, 0)), invalid) << "the name leaves the data";
  EXPECT_EQ(say(info(7, "", 0xFFFFFFFF, {}, 0)), invalid);
  EXPECT_EQ(say(info(7, "", 0, {}, 1)), invalid) << "a list that is longer than the data";
  EXPECT_EQ(say(info(7, "", 0, {3, 3}, 1)), invalid) << "a list that is shorter";
  EXPECT_EQ(say(option(7, {0, 0, 0})), invalid);
  EXPECT_EQ(say(option(7)), invalid);
  EXPECT_FALSE(connection->is_closed());
}

TEST_F(NbdConnectionTest, OtherOptionsAreUnsupported) {
  begin_options();
  for (const std::uint32_t number : {0U, 3U, 5U, 8U, 9U, 10U, 0xFFFFFFFFU}) {
    EXPECT_EQ(say(option(number, {1, 2, 3})),
              fields({{kOptionReplyMagic, 8}, {number, 4}, {kUnsupported, 4}, {0, 4}}));
  }
}

TEST_F(NbdConnectionTest, AbortIsAcknowledgedAndEndsTheConnection) {
  begin_options();
  EXPECT_EQ(say(option(2)), fields({{kOptionReplyMagic, 8}, {2, 4}, {1, 4}, {0, 4}}));
  EXPECT_TRUE(connection->is_closed());
}

TEST_F(NbdConnectionTest, WhatBreaksTheProtocolEndsTheConnection) {
  const auto is_closed_by = [this](const Bytes& message) {
    EXPECT_EQ(connection->take(message), 0U);
    const bool is_closed = connection->is_closed();
    connect();
    return is_closed;
  };
  EXPECT_TRUE(is_closed_by(fields({{4, 4}}))) << "a flag nobody offered";
  begin_options();
  Bytes wrong = option(7);
  wrong[0] ^= 1;
  EXPECT_TRUE(is_closed_by(wrong));
  begin_options();
  EXPECT_TRUE(is_closed_by(fields({{0x49484156454F5054, 8}, {7, 4}, {8193, 4}}))) << "longer than any option";
  begin_transmission();
  wrong = request(0, 0, 1);
  wrong[3] ^= 1;
  EXPECT_TRUE(is_closed_by(wrong));
  begin_transmission();
  EXPECT_TRUE(is_closed_by(request(1, 0, nbd::kMaxRequestBytes + 1))) << "a write longer than was allowed";
  begin_transmission();
  EXPECT_TRUE(is_closed_by(request(1, 0, 0xFFFFFFFF)));
}

TEST_F(NbdConnectionTest, AClientThatNeverComesToThePointIsLetGo) {
  begin_options();
  for (int i = 0; i < nbd::kMaxOptions; ++i) (void)say(option(8));
  EXPECT_EQ(connection->take(option(7)), 0U);
  EXPECT_TRUE(connection->is_closed());
}

TEST_F(NbdConnectionTest, ReadsAndWritesAreAnswered) {
  begin_transmission();
  EXPECT_EQ(say(join({request(1, kSlot, 2), {0x12, 0x34}})), reply(0));
  EXPECT_EQ(bytes(kSlot, 2), (Bytes{0x12, 0x34}));
  EXPECT_EQ(say(request(0, kSlot, 3)), join({reply(0), {0x12, 0x34, 0xFF}}));
  EXPECT_EQ(say(request(3, 0, 0)), reply(0));
  EXPECT_EQ(say(request(0, 0, nbd::kMaxRequestBytes)).size(), 16U + nbd::kMaxRequestBytes);
  (void)say(request(2, 0, 0));
  EXPECT_TRUE(connection->is_closed());
}

TEST_F(NbdConnectionTest, WhatCannotBeDoneHasItsError) {
  begin_transmission();
  EXPECT_EQ(say(request(0, 0, 0)), reply(22));
  EXPECT_EQ(say(request(0, 0, nbd::kMaxRequestBytes + 1)), reply(22));
  EXPECT_EQ(say(request(0, 0xFFFFFF, 2)), reply(22)) << "beyond the end";
  EXPECT_EQ(say(request(0, 0xFFFFFFFFFFFFFFFF, 2)), reply(22));
  EXPECT_EQ(say(request(1, 0, 0)), reply(22));
  EXPECT_EQ(say(join({request(1, 0xFFFFFF, 2), {0, 0}})), reply(28));
  EXPECT_EQ(say(join({request(1, kSlot, 1, 1), {0}})), reply(22)) << "a flag that was not offered";
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{4, 5, 6, 7, 0xFFFF})
    EXPECT_EQ(say(request(type, 0, 512)), reply(22)) << type;
  EXPECT_EQ(bytes(kSlot, 1), Bytes{0xFF});
  EXPECT_TRUE(refused.empty());
}

TEST_F(NbdConnectionTest, AWriteThatNoChipMakesIsRefusedAndTold) {
  begin_transmission();
  EXPECT_EQ(say(join({request(1, kSlot, 1), {0x00}})), reply(0));
  EXPECT_EQ(say(join({request(1, kSlot, 1), {0x01}})), reply(5));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].offset, kSlot);
  EXPECT_EQ(refused[0].length, 1U);
  EXPECT_EQ(bytes(kSlot, 1), Bytes{0x00});
}

TEST_F(NbdConnectionTest, AfterACutNothingIsAnsweredOrTaken) {
  begin_transmission();
  arm(PowerCut{});
  EXPECT_EQ(say(join({request(1, kSlot, 1), {0x00}})), Bytes{});
  EXPECT_TRUE(connection->is_without_power());
  EXPECT_FALSE(connection->is_closed());
  EXPECT_EQ(connection->take(join({request(1, kSlot, 1), {0x00}})), 0U);
  EXPECT_EQ(bytes(kSlot, 1), Bytes{0xFF});
}

}  // namespace
}  // namespace otasim::flash_file
