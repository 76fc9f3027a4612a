// What goes into a page: foreign text stays text, clocks agree, and what cannot be read is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/include/ota.h"
#include "sim/report/html/event_rows.h"
#include "sim/report/html/flash_track.h"
#include "sim/report/html/frame_rows.h"
#include "sim/report/html/html_report.h"
#include "sim/report/html/page.h"
#include "sim/report/reasons.h"
#include "tests/sim/report/html/run_folder_fixture.h"

namespace otasim::report::html {
namespace {

using nlohmann::json;
using test::RunFolder;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Page, NoForeignTextIsMarkup) {
  EXPECT_EQ(escape("<a href='x' title=\"y\">&"), "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;");
  const json value{{"text", "</script><script>alert(1)</script><!--"}, {"</script>", 1}};
  const std::string text = script_json(value);
  EXPECT_THAT(text, Not(HasSubstr("<")));
  EXPECT_EQ(json::parse(text), value);
}

TEST(Page, BytesThatAreNotUtf8DoNotBreakIt) {
  EXPECT_TRUE(json::accept(script_json("\xff\xfe<")));
}

TEST(Page, NothingIsLoadedAndOnlyItsOwnScriptRuns) {
  Page page("<b>title</b>", "<i>without</i>");
  page.add_style("base.css");
  page.add_script("base.js");
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("script-src 'sha256-"));
  EXPECT_THAT(html, Not(HasSubstr("unsafe-inline")));
  EXPECT_THAT(html, HasSubstr("<title>&lt;b&gt;title&lt;/b&gt;</title>"));
  EXPECT_THAT(html, HasSubstr("&lt;i&gt;without&lt;/i&gt;"));
}

TEST(EventRows, AreShortAndWhole) {
  RunFolder run;
  run.event(5, "uart", "line", {{"device", "thing-1"}, {"text", "hello"}});
  run.event(9, "cloud", "job_execution",
            {{"status", "FAILED"}, {"version", 3}, {"details", {{"reason", "rejected: 0x10"}}}});
  const auto rows = read_event_rows(run.path() + "/events.jsonl");
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->names, (std::vector<std::string>{"run.step", "uart.line", "cloud.job_execution"}));
  EXPECT_EQ(rows->devices, (std::vector<std::string>{"thing-1"}));
  ASSERT_EQ(rows->chunks.size(), 1U);
  const json chunk = json::parse(rows->chunks[0]);
  EXPECT_EQ(chunk.at(1), json::parse(R"([5, 1, 0, "hello"])"));
  EXPECT_EQ(chunk.at(2), json::parse(R"([9, 2, -1, {"status": "FAILED", "version": 3,
                                         "details": {"reason": "rejected: 0x10"}}])"));
  EXPECT_EQ(rows->reasons, (std::vector<std::string>{"rejected: 0x10"}));
}

TEST(EventRows, ATornLastLineAndDamageAreCounted) {
  RunFolder run;
  run.line("no event at all");
  run.line("[1,2]");
  run.event(7, "uart", "line", {{"text", "still read"}});
  run.line(R"({"t_us":9,"sour)");
  const auto rows = read_event_rows(run.path() + "/events.jsonl");
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->skipped_lines, 3U);
  EXPECT_EQ(rows->count, 2U);
  EXPECT_THAT(rows->chunks.at(0), HasSubstr("still read"));
}

TEST(EventRows, ALaterVersionIsRefused) {
  RunFolder run;
  run.line(R"({"t_us":1,"source":"run","event":"step","log_version":2})");
  const auto rows = read_event_rows(run.path() + "/events.jsonl");
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().code, ExitCode::kUsage);
  EXPECT_THAT(rows.error().message, HasSubstr("version 2"));
}

TEST(EventRows, MembersOfAnyTypeAreTaken) {
  RunFolder run;
  run.line(R"({"t_us":"soon","n":{},"source":3,"event":null,"device":[1],"details":7})");
  run.line(R"({"details":{"reason":5}})");
  const auto rows = read_event_rows(run.path() + "/events.jsonl");
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->count, 3U);
}

TEST(EventClock, FollowsTheSimulatorThatWentOn) {
  const std::vector<ClockAnchor> anchors{{0, 1'000'000}, {500, 9'000'000}};
  EXPECT_EQ(event_time(anchors, 1'000'300), 300);
  EXPECT_EQ(event_time(anchors, 9'000'700), 700);
  EXPECT_EQ(event_time({}, 1), std::nullopt);
}

TEST(FlashTrack, TellsOperationsAndWhatChangedThen) {
  RunFolder run;
  const std::vector<std::uint8_t> page(flash::kPageSize, 0xA5);
  EXPECT_EQ(run.at(1000).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(2000).program(flash::kSlotB.offset + 256, page), flash::Status::kOk);
  EXPECT_EQ(run.at(3000).program(flash::kSlotB.offset + 1, page), flash::Status::kUnaligned);
  const std::vector<std::uint8_t> step(1, 0x0F);
  EXPECT_EQ(run.at(4000).otp_program(0, step), flash::Status::kOk);
  const json track = read_flash_track(run.device(), {{0, RunFolder::kEpochUs}}, {});
  ASSERT_FALSE(track.contains("problem")) << track.dump();
  EXPECT_EQ(track.at("before"), json::parse(R"([[4096, 1]])"));
  const json& operations = track.at("operations");
  ASSERT_EQ(operations.size(), 4U);
  EXPECT_EQ(operations[0][0], 1000);
  EXPECT_EQ(operations[1][0], 2000);
  EXPECT_EQ(operations[2][2], static_cast<unsigned>(flash::Status::kUnaligned));
  EXPECT_EQ(operations[2][6], 0);
  const json& slot = track.at("states").at("slot-b");
  EXPECT_EQ(slot[0][0], 0);
  EXPECT_EQ(slot[0][1].at("used_bytes"), 0);
  EXPECT_EQ(slot.back()[0], 2);
  EXPECT_EQ(slot.back()[1].at("used_bytes"), 512);
  EXPECT_EQ(track.at("states").at("otp").back()[0], 4);
  EXPECT_EQ(track.at("states").at("otp").back()[1].at("application").at("floor"), 1);
}

TEST(FlashTrack, SaysWhyThereIsNone) {
  RunFolder run;
  std::filesystem::remove(run.device() + "/factory.bin");
  EXPECT_THAT(read_flash_track(run.device(), {}, {}).value("problem", ""), HasSubstr("factory.bin"));
}

TEST(FrameRows, AnythingButACaptureHasNone) {
  RunFolder run;
  const std::vector<ClockAnchor> anchors{{0, 0}};
  EXPECT_TRUE(read_frame_rows(run.path() + "/events.jsonl", anchors).at("rows").empty());
  EXPECT_TRUE(read_frame_rows(run.path() + "/nothing", anchors).at("rows").empty());
}

/// A capture of one frame, cut at every byte.
TEST(FrameRows, ACaptureThatEndsAnywhereIsReadAsFarAsItGoes) {
  RunFolder run;
  const auto little = [](std::string& to, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) to += static_cast<char>(value >> shift & 0xFF);
  };
  std::string frame("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x00", 14);
  frame += std::string("\x45\0\0\0\0\0\0\0\x40\x06\0\0\x0a\0\2\x0f\x0a\0\2\2", 20);
  frame += std::string("\xc0\x01\x22\xb3\0\0\0\0\0\0\0\0\x50\x02\0\0\0\0\0\0", 20);
  std::string file;
  for (const std::uint32_t word : {0xA1B23C4DU, 0x0004'0002U, 0U, 0U, 65535U, 1U}) little(file, word);
  for (const auto word :
       {7U, 5000U, static_cast<unsigned>(frame.size()), static_cast<unsigned>(frame.size())})
    little(file, word);
  file += frame;
  const std::string path = run.path() + "/link.pcap";
  for (std::size_t length = 0; length <= file.size(); ++length) {
    std::ofstream(path, std::ios::binary).write(file.data(), static_cast<std::streamsize>(length));
    const json frames = read_frame_rows(path, {{0, 0}});
    ASSERT_EQ(frames.at("rows").size(), length == file.size() ? 1U : 0U) << length;
  }
  const json frames = read_frame_rows(path, {{0, 0}});
  EXPECT_EQ(frames.at("kinds"), json::parse(R"(["tcp 8883 syn"])"));
  EXPECT_EQ(frames.at("rows")[0], json::parse("[7000005, 0, 0, 54]"));
}

TEST(Report, OfAFolderThatIsNoRunSaysSo) {
  const auto folder = TempDir::create();
  const auto page = build_report(folder->path().string(), {});
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ExitCode::kUsage);
}

TEST(Report, OfDamagedResultsSaysSo) {
  RunFolder run;
  ASSERT_TRUE(write_file_atomic(run.path() + "/matrix.json", std::string_view("{\"cells\": 3}")).has_value());
  const auto page = build_report(run.path(), {});
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ExitCode::kUsage);
  EXPECT_THAT(page.error().message, HasSubstr("matrix.json"));
}

TEST(Reasons, HaveTheAgentsNames) {
  for (unsigned code = OtaErrNone; code <= OtaErrEmptyJobDocument; ++code)
    EXPECT_EQ(explain_code(code).name, OTA_Err_strerror(static_cast<OtaErr_t>(code))) << code;
  for (unsigned code = OtaPalUninitialized; code <= OtaPalFileClose; ++code)
    EXPECT_EQ(explain_code(code << OTA_PAL_SUB_BITS | 5).name,
              OTA_PalStatus_strerror(static_cast<OtaPalMainStatus_t>(code)))
        << code;
  EXPECT_TRUE(explain_code(OtaErrEmptyJobDocument + 1).name.empty());
}

TEST(Reasons, AreToldInWords) {
  EXPECT_THAT(explain_reason("rejected: 0x10"), HasSubstr("OtaErrSameFirmwareVersion"));
  EXPECT_THAT(explain_reason("aborted: 0x13"), HasSubstr("OtaErrUserAbort"));
  EXPECT_THAT(explain_reason("0xc: 0x4"), HasSubstr("OtaJobParseErrNonConformingJobDoc"));
  EXPECT_THAT(explain_reason("0xe3000000: 0x0"), HasSubstr("OtaPalSignatureCheckFailed"));
  for (const char* foreign : {"", "because", "rejected: ", "rejected: 0x", "0x1: ", "0x1ffffffff: 0x0"})
    EXPECT_EQ(explain_reason(foreign), "") << foreign;
}

}  // namespace
}  // namespace otasim::report::html
