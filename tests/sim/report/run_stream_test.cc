// The stream of a run: everything in one order, and files that are torn, forged or missing spoil only
// themselves.
#include "sim/report/run_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sim/link/pcap_writer.h"
#include "sim/report/event_text.h"
#include "sim/report/frame_summary.h"
#include "tests/sim/report/html/run_folder_fixture.h"

namespace otasim::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::RunFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<json> rest_of(RunStream& stream) {
  std::vector<json> events;
  while (auto event = stream.next()) events.push_back(std::move(*event));
  return events;
}

/// "1000 flash.operation"
std::vector<std::string> outline_of(const std::vector<json>& events) {
  std::vector<std::string> lines;
  for (const json& event : events) {
    lines.push_back(std::to_string(event.at("t_us").get<std::int64_t>()) + ' ' +
                    event.at("source").get<std::string>() + '.' + event.at("event").get<std::string>());
  }
  return lines;
}

/// A TCP segment of the device to port 8883.
std::vector<std::uint8_t> segment(std::uint8_t flags, std::size_t data_bytes) {
  std::vector<std::uint8_t> frame{0x52, 0x55, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 8, 0};
  const auto length = static_cast<std::uint8_t>(40 + data_bytes);
  frame.insert(frame.end(), {0x45, 0, 0, length, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2});
  frame.insert(frame.end(), {0xC0, 1, 0x22, 0xB3, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0});
  frame.resize(frame.size() + data_bytes);
  return frame;
}

constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kSynAck = 0x12;

class Capture {
 public:
  explicit Capture(const RunFolder& run)
      : writer_(link::PcapWriter::create(run.device() + "/link.pcap").value()) {}

  void add(std::int64_t t_us, const std::vector<std::uint8_t>& frame) {
    const std::chrono::microseconds when(RunFolder::kEpochUs + t_us);
    EXPECT_TRUE(writer_.write(frame, std::chrono::system_clock::time_point(when)));
  }

 private:
  link::PcapWriter writer_;
};

const std::vector<std::uint8_t>& page() {
  static const std::vector<std::uint8_t> bytes(flash::kPageSize, 0xA5);
  return bytes;
}

TEST(RunStream, MergesEventsOperationsAndFramesByTime) {
  RunFolder run;
  run.event(1000, "uart", "line", {{"device", "thing-1"}, {"text", "hello"}});
  run.event(4000, "cloud", "job_created", {{"job", "j"}});
  EXPECT_EQ(run.at(1000).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(3000).program(flash::kSlotB.offset, page()), flash::Status::kOk);
  {
    Capture capture(run);
    capture.add(500, segment(kSyn, 0));
    capture.add(3500, segment(kSynAck, 5));
  }
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  const auto events = rest_of(*stream);
  EXPECT_THAT(outline_of(events),
              ElementsAre("0 run.step", "500 link.frame", "1000 uart.line", "1000 flash.operation",
                          "3000 flash.operation", "3500 link.frame", "4000 cloud.job_created"));
  EXPECT_EQ(events[1], json::parse(R"({"t_us": 500, "source": "link", "event": "frame", "device": "thing-1",
      "direction": "from_device", "protocol": "tcp", "device_port": 49153, "host_port": 8883, "flags": "syn",
      "length_bytes": 54, "payload_bytes": 0, "summary": "tcp 8883 syn"})"));
  EXPECT_EQ(events[4], json({{"t_us", 3000},
                             {"source", "flash"},
                             {"event", "operation"},
                             {"device", "thing-1"},
                             {"place", 1},
                             {"number", 2},
                             {"kind", "program"},
                             {"offset", flash::kSlotB.offset},
                             {"length_bytes", 256},
                             {"applied_bytes", 256},
                             {"partition", "slot-b"},
                             {"writer", "agent"},
                             {"result", "ok"}}));
  EXPECT_EQ(events[5].at("payload_bytes"), 5);
  EXPECT_THAT(stream->problems(), IsEmpty());
  EXPECT_EQ(stream->skipped_lines(), 0U);
}

TEST(RunStream, GoesOnWithTheClockOfASimulatorThatWasKilled) {
  RunFolder run;
  run.event(2000, "run", "step", {{"text", "again"}, {"epoch_us", RunFolder::kEpochUs + 50'000}});
  EXPECT_EQ(run.at(1500).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(53'000).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(outline_of(rest_of(*stream)),
              ElementsAre("0 run.step", "1500 flash.operation", "2000 run.step", "3000 flash.operation"));
  EXPECT_THAT(stream->anchors(), SizeIs(2));
}

TEST(RunStream, AClockThatWasSetBackKeepsTheFilesOrder) {
  RunFolder run;
  EXPECT_EQ(run.at(3000).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(1000).program(flash::kSlotB.offset, page()), flash::Status::kOk);
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  const auto events = rest_of(*stream);
  EXPECT_THAT(outline_of(events), ElementsAre("0 run.step", "3000 flash.operation", "3000 flash.operation"));
  EXPECT_EQ(events[2].at("kind"), "program");
}

TEST(RunStream, LinesThatAreNoEventsAreCounted) {
  RunFolder run;
  run.line("no event");
  run.line("[1,2]");
  run.line(R"({"source": 7, "t_us": "soon"})");
  run.line(R"({"t_us":9,"sour)");
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  const auto events = rest_of(*stream);
  EXPECT_EQ(stream->skipped_lines(), 3U);
  // What it does not say is filled in, so that readers need not look.
  EXPECT_THAT(outline_of(events), ElementsAre("0 run.step", "0 ."));
  EXPECT_EQ(events[1].at("n"), 2);
}

TEST(RunStream, ATornLastLineOfARunUnderWayIsWaitedFor) {
  RunFolder run;
  const std::string path = run.path() + "/events.jsonl";
  std::ofstream(path, std::ios::app) << R"({"t_us":5,"source":"uart","event":"li)" << std::flush;
  auto stream = RunStream::open(run.path(), {.is_under_way = true});
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(outline_of(rest_of(*stream)), ElementsAre("0 run.step"));
  std::ofstream(path, std::ios::app) << R"(ne","text":"whole"})" << '\n' << R"({"t_us":6,"source":"a)";
  stream->look_again(false);
  EXPECT_THAT(outline_of(rest_of(*stream)), ElementsAre("5 uart.line"));
  EXPECT_EQ(stream->skipped_lines(), 0U);
  stream->look_again(true);
  EXPECT_THAT(rest_of(*stream), IsEmpty());
  EXPECT_EQ(stream->skipped_lines(), 1U) << "nobody will write its end";
}

TEST(RunStream, DevicesThatComeLaterAreTakenUp) {
  RunFolder run;
  const std::string ops = run.device() + "/flash.ops";
  fs::rename(ops, run.path() + "/away");
  auto stream = RunStream::open(run.path(), {.is_under_way = true});
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
  fs::rename(run.path() + "/away", ops);
  EXPECT_EQ(run.at(10).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  stream->look_again(false);
  EXPECT_THAT(outline_of(rest_of(*stream)), ElementsAre("10 flash.operation"));
  EXPECT_EQ(run.at(20).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  stream->look_again(false);
  EXPECT_THAT(outline_of(rest_of(*stream)), ElementsAre("20 flash.operation"));
}

TEST(RunStream, AnOpLogCutAnywhereIsReadAsFarAsItGoes) {
  RunFolder run;
  EXPECT_EQ(run.at(1).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(2).program(flash::kSlotB.offset, page()), flash::Status::kOk);
  const std::string ops = run.device() + "/flash.ops";
  const auto whole = read_file(ops).value();
  const std::size_t first_ends = flash::kOpLogHeaderSize + flash::kOpLogRecordSize;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    ASSERT_TRUE(write_file_atomic(ops, std::span(whole).first(length)).has_value());
    auto stream = RunStream::open(run.path());
    ASSERT_TRUE(stream.has_value());
    const std::size_t operations = length < first_ends ? 0 : length < whole.size() ? 1 : 2;
    ASSERT_THAT(rest_of(*stream), SizeIs(1 + operations)) << length;
    const bool is_at_an_end =
        length <= flash::kOpLogHeaderSize || length == first_ends || length == whole.size();
    ASSERT_THAT(stream->problems(), SizeIs(is_at_an_end ? 0 : 1)) << length;
  }
}

TEST(RunStream, AForgedOpLogEndsWhereItIsForged) {
  RunFolder run;
  for (std::int64_t t_us = 1; t_us <= 20; ++t_us)
    EXPECT_EQ(run.at(t_us).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  const std::string ops = run.device() + "/flash.ops";
  const auto whole = read_file(ops).value();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto forged = whole;
    forged[at] ^= 0x40;
    ASSERT_TRUE(write_file_atomic(ops, forged).has_value());
    auto stream = RunStream::open(run.path());
    ASSERT_TRUE(stream.has_value());
    const std::size_t sound =
        at < flash::kOpLogHeaderSize ? 0 : (at - flash::kOpLogHeaderSize) / flash::kOpLogRecordSize;
    ASSERT_THAT(rest_of(*stream), SizeIs(1 + sound)) << at;
    ASSERT_THAT(stream->problems(), SizeIs(1)) << at;
    ASSERT_THAT(stream->problems()[0], HasSubstr("op log of thing-1")) << at;
  }
}

TEST(RunStream, ACaptureCutAnywhereIsReadAsFarAsItGoes) {
  RunFolder run;
  Capture(run).add(7, segment(kSyn, 0));
  const std::string path = run.device() + "/link.pcap";
  const auto whole = read_file(path).value();
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    ASSERT_TRUE(write_file_atomic(path, std::span(whole).first(length)).has_value());
    auto stream = RunStream::open(run.path());
    ASSERT_TRUE(stream.has_value());
    ASSERT_THAT(rest_of(*stream), SizeIs(length == whole.size() ? 2 : 1)) << length;
  }
}

TEST(RunStream, AForgedCaptureEndsWhereItIsForged) {
  RunFolder run;
  Capture(run).add(7, segment(kSyn, 0));
  const std::string path = run.device() + "/link.pcap";
  auto forged = read_file(path).value();
  constexpr std::size_t kLengthAt = 24 + 8;
  forged[kLengthAt + 3] = 0xFF;
  ASSERT_TRUE(write_file_atomic(path, forged).has_value());
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
  EXPECT_THAT(stream->problems(), ElementsAre(HasSubstr("a frame claims")));
  forged[0] ^= 1;
  ASSERT_TRUE(write_file_atomic(path, forged).has_value());
  stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
  EXPECT_THAT(stream->problems(), ElementsAre(HasSubstr("no capture")));
}

/// Frames of another kind would be read as what they are not.
TEST(RunStream, ACaptureOfNoEthernetIsNone) {
  RunFolder run;
  Capture(run).add(7, segment(kSyn, 0));
  const std::string path = run.device() + "/link.pcap";
  auto other = read_file(path).value();
  constexpr std::size_t kLinkTypeAt = 20;
  constexpr std::uint8_t kRawIp = 101;
  other[kLinkTypeAt] = kRawIp;
  ASSERT_TRUE(write_file_atomic(path, other).has_value());
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
  EXPECT_THAT(stream->problems(), ElementsAre(HasSubstr("no capture")));
}

TEST(RunStream, AFifoInPlaceOfADevicesFileHoldsNobodyUp) {
  RunFolder run;
  ASSERT_EQ(mkfifo((run.device() + "/link.pcap").c_str(), 0600), 0);
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
  EXPECT_THAT(stream->problems(), ElementsAre(HasSubstr("no regular file")));
}

TEST(RunStream, WithoutADevicesFilesThereAreStillEvents) {
  RunFolder run;
  fs::remove_all(run.path() + "/devices");
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
  EXPECT_THAT(stream->problems(), IsEmpty());
}

TEST(RunStream, WithoutAnEventLogThereIsNone) {
  const auto folder = TempDir::create();
  const auto stream = RunStream::open(folder->path().string());
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, ExitCode::kEnvironment);
}

TEST(RunStream, ALaterVersionIsRefused) {
  RunFolder run;
  run.line(R"({"t_us":1,"source":"run","event":"step","log_version":2})");
  const auto stream = RunStream::open(run.path());
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, ExitCode::kUsage);
  EXPECT_THAT(stream.error().message, HasSubstr("version 2"));
}

TEST(RunStream, CanLeaveOutFlashAndFrames) {
  RunFolder run;
  EXPECT_EQ(run.at(1).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  Capture(run).add(7, segment(kSyn, 0));
  auto stream = RunStream::open(run.path(), {.with_flash = false, .with_frames = false});
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(rest_of(*stream), SizeIs(1));
}

TEST(SumUpFrame, TrustsNoLengthInIt) {
  const auto frame = segment(kSyn, 8);
  for (std::size_t length = 0; length < frame.size(); ++length) {
    const FrameSummary told = sum_up_frame(std::span(frame).first(length));
    EXPECT_EQ(told.payload_bytes, 0U) << length;
    EXPECT_NE(told.protocol, "tcp") << length;
  }
  EXPECT_EQ(sum_up_frame(frame).payload_bytes, 8U);
}

TEST(EventText, SaysWhatHappened) {
  EXPECT_EQ(event_text({{"source", "flash"},
                        {"event", "operation"},
                        {"number", 7},
                        {"kind", "program"},
                        {"offset", 0x400000},
                        {"length_bytes", 256},
                        {"applied_bytes", 16},
                        {"partition", "slot-b"},
                        {"writer", "agent"},
                        {"result", "no-device"}}),
            "#7 program 256 bytes at 0x400000 in slot-b, by agent: no-device, 16 bytes done");
  EXPECT_EQ(event_text({{"source", "link"},
                        {"event", "frame"},
                        {"direction", "to_device"},
                        {"summary", "tcp 8883 syn ack"},
                        {"length_bytes", 60}}),
            "<- tcp 8883 syn ack, 60 bytes");
  EXPECT_EQ(event_text({{"source", "link"},
                        {"event", "dhcp_ack"},
                        {"t_us", 1},
                        {"n", 2},
                        {"device", "d"},
                        {"address", "10.0.2.15"}}),
            "dhcp_ack address=10.0.2.15");
  EXPECT_THAT(event_text({{"source", "cloud"},
                          {"event", "job_execution"},
                          {"job", "j"},
                          {"thing", "t"},
                          {"status", "FAILED"},
                          {"details", {{"reason", "rejected: 0x10"}}}}),
              HasSubstr("OtaErrSameFirmwareVersion"));
}

TEST(EventText, ATerminalDoesNotActOnIt) {
  EXPECT_EQ(event_text({{"source", "uart"},
                        {"event", "line"},
                        {"text",
                         "\x1b[2J\x07 \xC2\x9B"
                         "31m \xC3\xA9"}}),
            "\\x1b[2J\\x07 \\x9b31m \xC3\xA9");
  EXPECT_EQ(event_text({{"source", "a"}, {"event", 7}}), "7");
}

/// It would be walked by functions that call themselves.
TEST(RunStream, LinesThatAreNestedTooDeepAreNoEvents) {
  RunFolder run;
  const std::string deep(200'000, '[');
  run.line(R"({"t_us":1,"source":"x","event":"y","a":)" + deep + std::string(deep.size(), ']') + '}');
  run.event(5, "uart", "line", {{"text", "after"}});
  auto stream = RunStream::open(run.path());
  ASSERT_TRUE(stream);
  EXPECT_THAT(outline_of(rest_of(*stream)), ElementsAre("0 run.step", "5 uart.line"));
  EXPECT_EQ(stream->skipped_lines(), 1U);
}

TEST(RunStream, ACaptureWhoseEndIsTornSaysSo) {
  RunFolder run;
  {
    Capture capture(run);
    capture.add(1000, segment(kSyn, 0));
    capture.add(2000, segment(kSyn, 0));
  }
  const std::string path = run.device() + "/link.pcap";
  const auto whole = fs::file_size(path);
  for (const auto cut : {std::uintmax_t{1}, std::uintmax_t{60}, whole - 10}) {
    fs::resize_file(path, whole - cut);
    auto stream = RunStream::open(run.path());
    ASSERT_TRUE(stream);
    static_cast<void>(rest_of(*stream));
    EXPECT_THAT(stream->problems(), ElementsAre(HasSubstr("the capture of thing-1: ")))
        << "without its last " << cut << " bytes";
  }
}

}  // namespace
}  // namespace otasim::report
