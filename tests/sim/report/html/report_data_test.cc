// What goes into a page: foreign text stays text, clocks agree, and what cannot be read is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/include/ota.h"
#include "sim/base/text.h"
#include "sim/report/html/event_rows.h"
#include "sim/report/html/flash_track.h"
#include "sim/report/html/frame_rows.h"
#include "sim/report/html/html_report.h"
#include "sim/report/html/linked_json.h"
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
  EXPECT_EQ(escape_markup("<a href='x' title=\"y\">&"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;");
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
  EventRows rows;
  rows.take({{"t_us", 0},
             {"n", 1},
             {"source", "run"},
             {"event", "step"},
             {"text", "begin"},
             {"log_version", 1},
             {"epoch_us", 7}});
  rows.take({{"t_us", 5},
             {"n", 2},
             {"source", "uart"},
             {"event", "line"},
             {"device", "thing-1"},
             {"text", "hello"}});
  rows.take({{"t_us", 9},
             {"n", 5},
             {"source", "cloud"},
             {"event", "job_execution"},
             {"status", "FAILED"},
             {"version", 3},
             {"details", {{"reason", "rejected: 0x10"}}}});
  rows.finish();
  EXPECT_EQ(rows.names(), (std::vector<std::string>{"run.step", "uart.line", "cloud.job_execution"}));
  EXPECT_EQ(rows.devices(), (std::vector<std::string>{"thing-1"}));
  EXPECT_EQ(rows.count(), 3U);
  ASSERT_EQ(rows.chunks().size(), 1U);
  const json chunk = json::parse(rows.chunks()[0]);
  EXPECT_EQ(chunk.at(0), json::parse(R"([0, 0, -1, {"text": "begin"}])"));
  EXPECT_EQ(chunk.at(1), json::parse(R"([5, 1, 0, "hello"])"));
  EXPECT_EQ(chunk.at(2), json::parse(R"([9, 2, -1, {"status": "FAILED", "version": 3,
                                         "details": {"reason": "rejected: 0x10"}}, 5])"));
  EXPECT_EQ(rows.reasons(), (std::vector<std::string>{"rejected: 0x10"}));
}

TEST(FlashTrack, TellsOperationsAndWhatChangedThen) {
  RunFolder run;
  const std::vector<std::uint8_t> page(flash::kPageSize, 0xA5);
  EXPECT_EQ(run.at(1000).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(2000).program(flash::kSlotB.offset + 256, page), flash::Status::kOk);
  EXPECT_EQ(run.at(3000).program(flash::kSlotB.offset + 1, page), flash::Status::kUnaligned);
  const std::vector<std::uint8_t> step(1, 0x0F);
  EXPECT_EQ(run.at(4000).otp_program(0, step), flash::Status::kOk);
  const json track = read_flash_track(run.device(), {1000, 2000, 3000}, {});
  ASSERT_FALSE(track.contains("problem")) << track.dump();
  EXPECT_EQ(track.at("before"), json::parse(R"([[4096, 1]])"));
  const json& operations = track.at("operations");
  ASSERT_EQ(operations.size(), 4U);
  EXPECT_EQ(operations[0][0], 1000);
  EXPECT_EQ(operations[1][0], 2000);
  EXPECT_EQ(operations[3][0], 3000) << "logged after the times were read";
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

TEST(FrameRows, NumberWhatTheySay) {
  FrameRows frames;
  const auto frame = [](int t_us, const char* way, const char* what) {
    return json{{"t_us", t_us}, {"direction", way}, {"summary", what}, {"length_bytes", 60}};
  };
  frames.take(frame(1, "from_device", "tcp 8883 syn"));
  frames.take(frame(2, "to_all", "arp"));
  frames.take(frame(3, "to_device", "tcp 8883 syn"));
  EXPECT_EQ(frames.tell(), json::parse(R"({"kinds": ["tcp 8883 syn", "arp"], "left_off": 0,
                                           "rows": [[1, 0, 0, 60], [2, 2, 1, 60], [3, 1, 0, 60]]})"));
}

TEST(FrameRows, StopAtTheirLimit) {
  FrameRows frames;
  const json frame{{"t_us", 1}, {"direction", "to_all"}, {"summary", "arp"}, {"length_bytes", 60}};
  for (std::size_t i = 0; i < kMostFrames + 3; ++i) frames.take(frame);
  EXPECT_EQ(frames.tell().at("rows").size(), kMostFrames);
  EXPECT_EQ(frames.tell().at("left_off"), 3);
}

TEST(Report, OfAFolderThatIsNoRunSaysSo) {
  const auto folder = TempDir::create();
  const auto page = build_report(folder->path().string(), {}, folder->path().string());
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ExitCode::kUsage);
}

TEST(Report, OfDamagedResultsSaysSo) {
  RunFolder run;
  ASSERT_TRUE(write_file_atomic(run.path() + "/matrix.json", std::string_view("{\"cells\": 3}")).has_value());
  const auto page = build_report(run.path(), {}, run.path());
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ExitCode::kUsage);
  EXPECT_THAT(page.error().message, HasSubstr("matrix.json"));
}

TEST(Report, OfAResultThatIsNestedTooDeepGoesWithoutIt) {
  RunFolder run;
  const std::string deep(200'000, '[');
  const std::string text = "{\"result\":" + deep + std::string(deep.size(), ']') + "}";
  ASSERT_TRUE(write_file_atomic(run.path() + "/result.json", text).has_value());
  EXPECT_TRUE(build_report(run.path(), {}, run.path()).has_value());
  ASSERT_TRUE(write_file_atomic(run.path() + "/matrix.json", text).has_value());
  EXPECT_FALSE(build_report(run.path(), {}, run.path()).has_value());
}

/// A folder of a matrix with one cell, whose run has a page.
class Linked : public ::testing::Test {
 protected:
  Linked() {
    std::filesystem::create_directories(file("matrix/cells/a b"));
    EXPECT_TRUE(write_file_atomic(file("matrix/cells/a b/report.html"), std::string_view("x")).has_value());
    const json matrix{{"cells",
                       {{{"run", file("matrix/cells/a b")}, {"link", "javascript:alert(1)"}},
                        {{"run", "/nowhere"}, {"link", "javascript:alert(2)"}},
                        {{"link", "https://elsewhere.example/"}}}}};
    EXPECT_TRUE(write_file_atomic(file("matrix/matrix.json"), matrix.dump()).has_value());
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] json links_from(const std::string& page_folder) const {
    json links = json::array();
    const auto matrix = read_linked_json(file("matrix"), "matrix.json", "cells", page_folder);
    if (!matrix) return matrix.error().message;
    for (const json& cell : matrix->at("cells")) links.push_back(cell.value("link", json()));
    return links;
  }

 private:
  TempDir folder_ = TempDir::create().value();
};

TEST_F(Linked, RunsAreLinkedFromWhereThePageStands) {
  EXPECT_EQ(links_from(file("matrix"))[0], "cells/a%20b/report.html");
  EXPECT_EQ(links_from(file("elsewhere/deep"))[0], "../../matrix/cells/a%20b/report.html");
}

TEST_F(Linked, WhatTheFileCallsALinkIsNone) {
  EXPECT_EQ(links_from(file("matrix"))[1], json());
  EXPECT_EQ(links_from(file("matrix"))[2], json());
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
