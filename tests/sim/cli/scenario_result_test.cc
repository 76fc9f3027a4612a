// A cell's result on its way between processes, and as JUnit and an exit code have it.
#include "sim/cli/scenario_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"

namespace otasim::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

CellResult failed(const std::string& name) {
  return {.scenario = name,
          .kind = "own",
          .board = "b",
          .data = "mqtt",
          .seed = 7,
          .result = "failed",
          .failures = {"first", "second <1>"},
          .wall_ms = 1234,
          .jobs = json::parse(R"([{"job": "j", "status": "FAILED"}])"),
          .devices = json::parse(R"([{"device": "thing-1"}])"),
          .run = "/nowhere",
          .repeat = "otasim run " + name,
          .debug = "otasim debug " + name};
}

CellResult passed(const std::string& name) {
  CellResult result = failed(name);
  result.result = "passed";
  result.failures.clear();
  return result;
}

TEST(CellResult, ComesBackFromJsonAsItWas) {
  const CellResult result = failed("Case");
  const json value = to_json(result);
  EXPECT_EQ(value.at("reason"), "first");
  const auto back = cell_result_from(value);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(to_json(*back), value);
  EXPECT_EQ(to_json(passed("Case")).at("reason"), "");
  EXPECT_EQ(result.name(), "Case/b/mqtt");
}

TEST(CellResult, OfAnEarlierVersionHasNeitherDebugNorReplayCommand) {
  json earlier = to_json(failed("Case"));
  earlier.erase("debug");
  earlier.erase("replay");
  const auto back = cell_result_from(earlier);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->debug, "");
  EXPECT_EQ(back->replay, "");
}

TEST(CellResult, TellsHowToDebugAFailure) {
  testing::internal::CaptureStdout();
  print(failed("Case"));
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("debug:  otasim debug Case\n"));
}

TEST(CellResult, TellsHowToReplayAFailureThatCanBeRecorded) {
  CellResult result = failed("Case");
  result.replay = "otasim replay folder --gdb";
  testing::internal::CaptureStdout();
  print(result);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("replay: otasim replay folder --gdb\n"));
  result.replay.clear();
  testing::internal::CaptureStdout();
  print(result);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), Not(HasSubstr("replay:")));
}

TEST(CellResult, WhatNoRunHasWrittenIsAnError) {
  json lacks = to_json(failed("Case"));
  lacks.erase("seed");
  json wrong = to_json(failed("Case"));
  wrong["failures"] = 5;
  for (const json& value : {json(nullptr), json::array(), json::object(), json("x"),
                            json(json::value_t::discarded), lacks, wrong}) {
    const auto result = cell_result_from(value);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ExitCode::kEnvironment);
  }
}

TEST(CellResult, InJUnitHasItsFailuresAndItsConsolesEnd) {
  const auto folder = TempDir::create();
  ASSERT_TRUE(folder.has_value());
  std::filesystem::create_directories(folder->file("devices/thing-1"));
  ASSERT_TRUE(write_file_atomic(folder->file("devices/thing-1/uart.log"),
                                "the beginning" + std::string(4000, '.') + "the end\n")
                  .has_value());
  CellResult result = failed("Case");
  result.run = folder->path().string();
  const std::string xml = junit_of({result, passed("Other")});
  EXPECT_THAT(xml, AllOf(HasSubstr("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"2.468\""),
                         HasSubstr("<testcase classname=\"b.mqtt\" name=\"Case\" time=\"1.234\">"),
                         HasSubstr("<failure message=\"first&#10;second &lt;1&gt;\"/>"),
                         HasSubstr("--- console of thing-1 ---"), HasSubstr("the end"),
                         Not(HasSubstr("the beginning")),
                         HasSubstr("<property name=\"repeat\" value=\"otasim run Case\"/>")));
}

TEST(CellResult, WhatDidNotRunIsAnErrorInJUnit) {
  CellResult result = failed("Case");
  for (const char* how : {"error", "interrupted"}) {
    result.result = how;
    EXPECT_THAT(junit_of({result}),
                AllOf(HasSubstr("failures=\"0\" errors=\"1\""), HasSubstr("<error message=\"first")));
  }
}

TEST(Verdict, IsAFailureThatTellsHowToRepeat) {
  EXPECT_TRUE(verdict_of({passed("A"), passed("B")}).has_value());
  EXPECT_TRUE(verdict_of({}).has_value());
  const auto verdict = verdict_of({passed("A"), failed("B"), failed("C")});
  ASSERT_FALSE(verdict.has_value());
  EXPECT_EQ(verdict.error().code, ExitCode::kFailed);
  EXPECT_EQ(verdict.error().message, "2 of 3 runs did not pass");
  EXPECT_EQ(verdict.error().hint, "To repeat:\n  otasim run B\n  otasim run C");
}

TEST(Verdict, ShowsTwentyAtMost) {
  const std::vector<CellResult> many(25, failed("Case"));
  const std::string hint = verdict_of(many).error().hint;
  EXPECT_EQ(std::ranges::count(hint, '\n'), 20);
}

}  // namespace
}  // namespace otasim::cli
