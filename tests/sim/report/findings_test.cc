#include "sim/report/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sim/base/temp_dir.h"

namespace otasim::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunFolder {
 public:
  RunFolder(const std::string& events, const std::string& result) : folder_(*TempDir::create()) {
    std::ofstream(folder_.file("events.jsonl")) << events;
    if (!result.empty()) std::ofstream(folder_.file("result.json")) << result;
  }
  [[nodiscard]] RunFindings read() const { return *read_findings(folder_.path().string()); }

 private:
  TempDir folder_;
};

std::vector<std::string> texts_of(const RunFindings& found) {
  std::vector<std::string> texts;
  for (const Finding& one : found.findings) texts.push_back(one.what);
  return texts;
}

constexpr const char* kCrash =
    R"({"t_us":1,"n":1,"source":"uart","event":"line","device":"d","text":"app: job x received, 5 bytes"}
{"t_us":2,"n":2,"source":"boot","event":"verify","device":"d","slot":"B","result":"ok"}
{"t_us":3,"n":3,"source":"boot","event":"reset","device":"d","reason":"software"}
{"t_us":4,"n":4,"source":"boot","event":"reject","device":"d","slot":"B","reason":"trial-failed","back-to":"A"}
{"t_us":5,"n":5,"source":"broker","event":"client_disconnected","clientId":"d","disconnectReason":"CONNECTION_LOST"}
{"t_us":6,"n":6,"source":"cloud","event":"job_execution","job":"j","thing":"d","status":"IN_PROGRESS","details":{}}
{"t_us":7,"n":7,"source":"cloud","event":"job_execution","job":"j","thing":"d","status":"FAILED","details":{"reason":"rejected: 0x00000010"}}
{"t_us":8,"n":8,"source":"run","event":"failed","text":"it did not end within 20 s"}
)";

TEST(Findings, AreWhatAPersonLooksFor) {
  const RunFolder run(kCrash,
                      R"({"scenario":"S","board":"b","data":"mqtt","result":"failed","repeat":"otasim run S",
    "failures":["it did not end within 20 s"]})");
  const RunFindings found = run.read();
  EXPECT_EQ(found.name, "S on b over mqtt");
  EXPECT_EQ(found.result, "failed");
  EXPECT_EQ(found.repeat, "otasim run S");
  ASSERT_THAT(found.failures, SizeIs(1));
  EXPECT_THAT(found.failures[0].words, SizeIs(1)) << "what a passed limit means";
  EXPECT_THAT(texts_of(found),
              ElementsAre("boot: reject back-to=A reason=trial-failed slot=B",
                          "d disconnected: CONNECTION_LOST", "the job j is FAILED (rejected: 0x00000010)"))
      << "and not the failure again";
  EXPECT_EQ(found.findings[0].t_us, 4);
  EXPECT_EQ(found.findings[0].device, "d");
  ASSERT_THAT(found.findings[0].words, SizeIs(2));
  EXPECT_EQ(found.findings[0].words[1].term->name, "trial-failed");
  ASSERT_THAT(found.findings[2].words, SizeIs(1));
  EXPECT_EQ(found.findings[2].words[0].term->name, "OtaErrSameFirmwareVersion");
}

TEST(Findings, TheSameIsToldOnce) {
  std::string events;
  for (int i = 0; i < 5; ++i)
    events += R"({"t_us":1,"source":"link","event":"fault","device":"d","fault":"link.loss"})"
              "\n";
  const RunFindings found = RunFolder(events, "").read();
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_EQ(found.findings[0].count, 5U);
  EXPECT_EQ(found.result, "") << "the run has not come to its end";
}

TEST(Findings, AreNotWithoutEnd) {
  std::string events;
  for (int i = 0; i < 150; ++i)
    events += R"({"source":"run","event":"failed","text":"number )" + std::to_string(i) + "\"}\n";
  const RunFindings found = RunFolder(events, "").read();
  EXPECT_THAT(found.findings, SizeIs(100));
  EXPECT_EQ(found.left_out, 50U);
}

TEST(Findings, TakeAnythingForAnEvent) {
  const RunFindings found =
      RunFolder(
          "\n[]\nnull\n{\"source\":1}\n{\"source\":\"boot\",\"event\":[]}\n\xff\xfe\n{\"source\":\"cloud\","
          "\"event\":"
          "\"job_execution\",\"status\":\"FAILED\",\"details\":7,\"job\":\"\\u001b[2J\"}\n{\"source\":",
          "[1,2")
          .read();
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_EQ(found.findings[0].what, "the job \\x1b[2J is FAILED") << "moves no cursor";
}

TEST(Findings, OfAFolderThatIsNoRunSaysSo) {
  const auto folder = TempDir::create();
  const auto found = read_findings(folder->path().string());
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ExitCode::kUsage);
  EXPECT_THAT(found.error().message, HasSubstr("no run's folder"));
}

}  // namespace
}  // namespace otasim::report
