#include "agent/app/mqtt_packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace app::mqtt {
namespace {

using ::testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

/// Writes down what the reader found, as text.
class Recorder final : public PacketSink {
 public:
  std::vector<std::string> events;

  void on_connack(std::uint8_t code) override { events.push_back("connack " + std::to_string(code)); }
  void on_answer(Answer answer, std::uint16_t id, std::uint8_t code) override {
    static constexpr const char* kNames[] = {"none", "puback", "suback", "unsuback"};
    events.push_back(std::string(kNames[static_cast<std::size_t>(answer)]) + " " + std::to_string(id) + " " +
                     std::to_string(code));
  }
  void on_pingresp() override { events.push_back("pingresp"); }
  void on_publish(std::string_view topic, std::uint32_t size) override {
    events.push_back("publish " + std::string(topic) + " " + std::to_string(size));
    payload_.clear();
  }
  void on_payload(std::span<const std::uint8_t> piece) override {
    payload_.append(piece.begin(), piece.end());
  }
  void on_publish_end(std::uint16_t id) override {
    events.push_back("end " + std::to_string(id) + " " + payload_);
  }

 private:
  std::string payload_;
};

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

Bytes publish(std::string_view topic, std::string_view payload, std::uint8_t qos, std::uint16_t id) {
  Bytes out(payload.size() + topic.size() + 16);
  out.resize(write_publish(out, topic, bytes_of(payload), qos, id));
  return out;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(MqttWriter, ConnectAsksForACleanSession) {
  Bytes out(64);
  out.resize(write_connect(out, {"dev", 60}));
  EXPECT_THAT(out, ElementsAre(0x10, 15, 0, 4, 'M', 'Q', 'T', 'T', 4, 0x02, 0, 60, 0, 3, 'd', 'e', 'v'));
}

TEST(MqttWriter, SubscribeCarriesItsIdAndQos) {
  Bytes out(64);
  out.resize(write_subscribe(out, "a/b", 1, 0x0102));
  EXPECT_THAT(out, ElementsAre(0x82, 8, 1, 2, 0, 3, 'a', '/', 'b', 1));
}

TEST(MqttWriter, UnsubscribeCarriesItsId) {
  Bytes out(64);
  out.resize(write_unsubscribe(out, "a", 7));
  EXPECT_THAT(out, ElementsAre(0xA2, 5, 0, 7, 0, 1, 'a'));
}

TEST(MqttWriter, PublishHasAnIdOnlyWithQos1) {
  EXPECT_THAT(publish("t", "xy", 0, 9), ElementsAre(0x30, 5, 0, 1, 't', 'x', 'y'));
  EXPECT_THAT(publish("t", "xy", 1, 9), ElementsAre(0x32, 7, 0, 1, 't', 0, 9, 'x', 'y'));
}

TEST(MqttWriter, ARemainingLengthOver127TakesTwoBytes) {
  const Bytes packet = publish("t", std::string(200, 'x'), 0, 0);
  EXPECT_EQ(packet[1], (203 & 0x7F) | 0x80);
  EXPECT_EQ(packet[2], 203 >> 7);
}

TEST(MqttWriter, APacketThatDoesNotFitIsNotWritten) {
  Bytes out(6);
  EXPECT_EQ(write_publish(out, "topic", bytes_of("payload"), 0, 0), 0U);
  EXPECT_EQ(write_connect(out, {"client", 60}), 0U);
  EXPECT_EQ(write_pingreq({}), 0U);
}

TEST(MqttWriter, RefusesQos2AndEmptyTopics) {
  Bytes out(64);
  EXPECT_EQ(write_publish(out, "t", {}, 2, 1), 0U);
  EXPECT_EQ(write_publish(out, "", {}, 0, 0), 0U);
  EXPECT_EQ(write_subscribe(out, "t", 2, 1), 0U);
}

const Bytes kAllKinds = Bytes{0x20, 2, 0, 0} +                                      // CONNACK
                        Bytes{0x90, 3, 0, 1, 0x80} +                                // SUBACK, refused
                        publish("jobs/notify", std::string(300, 'j'), 1, 0x1234) +  //
                        Bytes{0xD0, 0} +                                            // PINGRESP
                        publish("empty", "", 0, 0) +                                //
                        Bytes{0x40, 2, 0, 2} + Bytes{0xB0, 2, 0, 3};                // PUBACK, UNSUBACK

const std::vector<std::string> kAllKindsRead = {"connack 0",
                                                "suback 1 128",
                                                "publish jobs/notify 300",
                                                "end 4660 " + std::string(300, 'j'),
                                                "pingresp",
                                                "publish empty 0",
                                                "end 0 ",
                                                "puback 2 0",
                                                "unsuback 3 0"};

TEST(MqttReader, ReadsEveryPacketAServerSends) {
  Recorder recorder;
  PacketReader reader(recorder);
  EXPECT_EQ(reader.feed(kAllKinds), ReadStatus::kOk);
  EXPECT_EQ(recorder.events, kAllKindsRead);
}

TEST(MqttReader, ReadsTheSameWhereverTheBytesAreSplit) {
  for (std::size_t cut = 0; cut <= kAllKinds.size(); ++cut) {
    Recorder recorder;
    PacketReader reader(recorder);
    const std::span<const std::uint8_t> all(kAllKinds);
    ASSERT_EQ(reader.feed(all.first(cut)), ReadStatus::kOk) << "cut at " << cut;
    ASSERT_EQ(reader.feed(all.subspan(cut)), ReadStatus::kOk) << "cut at " << cut;
    ASSERT_EQ(recorder.events, kAllKindsRead) << "cut at " << cut;
  }
}

TEST(MqttReader, ReadsTheSameByteByByte) {
  Recorder recorder;
  PacketReader reader(recorder);
  for (const std::uint8_t byte : kAllKinds) ASSERT_EQ(reader.feed({&byte, 1}), ReadStatus::kOk);
  EXPECT_EQ(recorder.events, kAllKindsRead);
}

struct Malformed {
  const char* name;
  Bytes bytes;
  ReadStatus expected;
};

class MqttReaderRefuses : public ::testing::TestWithParam<Malformed> {};

TEST_P(MqttReaderRefuses, AndReportsNothing) {
  Recorder recorder;
  PacketReader reader(recorder);
  EXPECT_EQ(reader.feed(GetParam().bytes), GetParam().expected);
  EXPECT_THAT(recorder.events, ElementsAre());
  EXPECT_EQ(reader.feed(Bytes{0xD0, 0}), GetParam().expected) << "a broken stream stays broken";
  reader.reset();
  EXPECT_EQ(reader.feed(Bytes{0xD0, 0}), ReadStatus::kOk);
}

INSTANTIATE_TEST_SUITE_P(
    Packets, MqttReaderRefuses,
    ::testing::Values(
        Malformed{"LengthOfFiveBytes", {0x30, 0x80, 0x80, 0x80, 0x80, 0x01}, ReadStatus::kBadLength},
        Malformed{"TopicBeyondThePacket", {0x30, 4, 0, 9, 't', 'x'}, ReadStatus::kBadLength},
        Malformed{"TopicBeyondTheLimit", {0x30, 0xFF, 0x7F, 0x01, 0x01}, ReadStatus::kBadLength},
        Malformed{"EmptyTopic", {0x30, 2, 0, 0}, ReadStatus::kBadLength},
        Malformed{"NoTopicLength", {0x30, 1, 0}, ReadStatus::kBadLength},
        Malformed{"NoRoomForThePacketId", {0x32, 4, 0, 1, 't', 0}, ReadStatus::kBadLength},
        Malformed{"PacketIdZero", {0x32, 5, 0, 1, 't', 0, 0}, ReadStatus::kBadHeader},
        Malformed{"Qos2", {0x34, 5, 0, 1, 't', 0, 1}, ReadStatus::kBadHeader},
        Malformed{"LongConnack", {0x20, 3, 0, 0, 0}, ReadStatus::kBadLength},
        Malformed{"ShortSuback", {0x90, 2, 0, 1}, ReadStatus::kBadLength},
        Malformed{"PingrespWithBody", {0xD0, 1, 0}, ReadStatus::kBadLength},
        Malformed{"ReservedFlags", {0x21, 2, 0, 0}, ReadStatus::kBadHeader},
        Malformed{"ClientPacket", {0x82, 2, 0, 0}, ReadStatus::kBadHeader},
        Malformed{"TypeZero", {0x00, 0}, ReadStatus::kBadHeader}),
    [](const auto& case_info) { return case_info.param.name; });

TEST(MqttReader, SurvivesRandomBytes) {
  std::mt19937 random(20240917);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int round = 0; round < 20000; ++round) {
    Recorder recorder;
    PacketReader reader(recorder);
    Bytes bytes(64);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(byte(random));
    // A plausible start, so that the deeper stages are reached too.
    if (round % 2 == 0) bytes[0] = round % 4 == 0 ? 0x30 : 0x32;
    const ReadStatus status = reader.feed(bytes);
    EXPECT_TRUE(status == ReadStatus::kOk || status == reader.feed(bytes));
  }
}

}  // namespace
}  // namespace app::mqtt
