// `otasim matrix`: many scenarios at a time, what is told of them, and that none is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "sim/base/json.h"
#include "tests/sim/cli/scenario_fixture.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct MatrixRun {
  Outcome outcome;
  json report;
};

class MatrixTest : public ScenarioTest {
 protected:
  MatrixRun matrix(std::vector<std::string> more) {
    more.insert(more.begin(), {"matrix", "--json", "--jobs", "2", "--boards", "mps2-an385"});
    MatrixRun result{.outcome = otasim(more), .report = {}};
    result.report = json::parse(result.outcome.out, nullptr, false);
    return result;
  }
  /// SCENARIO/DATA/SEED of each cell.
  static std::set<std::string> names(const json& report) {
    std::set<std::string> all;
    for (const json& cell : report["cells"]) {
      all.insert(cell["scenario"].get<std::string>() + '/' + cell["data"].get<std::string>() + '/' +
                 cell["seed"].dump());
    }
    return all;
  }
};

TEST_F(MatrixTest, PlaysOnEveryBoardUnlessSomeAreChosen) {
  const Outcome outcome = otasim({"matrix", passing(), "--json", "--data", "mqtt", "--jobs", "2"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::set<std::string> boards;
  const json report = json::parse(outcome.out);
  for (const json& cell : report["cells"]) boards.insert(cell["board"].get<std::string>());
  EXPECT_EQ(boards, (std::set<std::string>{"mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505",
                                           "mps2-an521", "emcraft-sf2"}));
}

TEST_F(MatrixTest, ReportsEachCellAndHowToRepeatWhatFailed) {
  const auto [outcome, report] = matrix({passing(), failing(), "--out", "m", "--junit", "junit.xml"});
  EXPECT_EQ(outcome.code, 1);
  ASSERT_TRUE(report.is_object()) << outcome.out << outcome.err;
  EXPECT_EQ(report["passed"], 2);
  EXPECT_EQ(report["failed"], 2);
  EXPECT_EQ(report["complete"], true);
  EXPECT_GT(report["wall_ms"], 0);
  EXPECT_EQ(report["run"], folder.file("m"));
  EXPECT_EQ(names(report),
            (std::set<std::string>{"passing/mqtt/1", "passing/http/1", "failing/mqtt/1", "failing/http/1"}));
  for (const json& cell : report["cells"]) {
    EXPECT_EQ(cell["board"], "mps2-an385");
    EXPECT_GT(cell["wall_ms"], 0);
    const bool passed = cell["scenario"] == "passing";
    EXPECT_EQ(cell["result"], passed ? "passed" : "failed");
    EXPECT_THAT(cell["reason"].get<std::string>(),
                passed ? HasSubstr("") : HasSubstr("failing.jsonc:6: wait did not end"));
    const fs::path run = cell["run"].get<std::string>();
    EXPECT_TRUE(fs::exists(run / "result.json"));
    EXPECT_TRUE(fs::exists(run / "report.html"));
    EXPECT_THAT(content(folder.file("m/report.html")),
                HasSubstr("\"link\":\"" + run.filename().string() + "/report.html\""));
    EXPECT_TRUE(fs::exists(run / "devices/thing-1/uart.log"));
    EXPECT_EQ(fs::exists(run / "devices/thing-1/flash.bin"), !passed)
        << "large files of what passed are not kept";
    const std::string repeat = "otasim run " + cell["scenario"].get<std::string>() +
                               ".jsonc --board mps2-an385 --data " + cell["data"].get<std::string>() +
                               " --seed 1";
    EXPECT_EQ(cell["repeat"], repeat);
    EXPECT_EQ(outcome.err.find(repeat) != std::string::npos, !passed) << outcome.err;
  }
  EXPECT_EQ(json::parse(content(folder.file("m/matrix.json"))), report);
  EXPECT_THAT(content(folder.file("junit.xml")),
              HasSubstr("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"0\""));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("passed      passing/mps2-an385/mqtt ("),
                                 HasSubstr("2 of 4 runs did not pass")));
  expect_clean();
}

TEST_F(MatrixTest, ShardsAndRepetitionsAreAllOfIt) {
  const std::string file = passing();
  const auto first = matrix({file, "--repeat", "2", "--shard", "1/2", "--seed", "7", "--quiet"});
  const auto second = matrix({file, "--repeat", "2", "--shard", "2/2", "--seed", "7", "--quiet"});
  ASSERT_EQ(first.outcome.code, 0) << first.outcome.err;
  ASSERT_EQ(second.outcome.code, 0) << second.outcome.err;
  EXPECT_EQ(first.outcome.err, "");
  EXPECT_EQ(first.report["passed"], 2);
  std::set<std::string> all = names(first.report);
  all.merge(names(second.report));
  EXPECT_EQ(all,
            (std::set<std::string>{"passing/mqtt/7", "passing/http/7", "passing/mqtt/8", "passing/http/8"}));
}

TEST_F(MatrixTest, AChoiceThatLeavesNothingIsRefused) {
  const std::string file = passing();
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--filter", "none"},
                                             {"--class", "aws"},
                                             {"--shard", "3/3", "--data", "mqtt", "--boards", "mps2-an385"},
                                             {"--shard", "0/2"},
                                             {"--shard", "3/2"},
                                             {"--shard", "1/2x"},
                                             {"--shard", "half"},
                                             {"--boards", "none"},
                                             {"--jobs", "0"}}) {
    std::vector<std::string> arguments{"matrix", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(otasim(arguments).code, 2) << ::testing::PrintToString(more);
  }
}

TEST_F(MatrixTest, ACellThatCannotBePlayedIsAnErrorWithItsMessage) {
  // That the image has no version is found only when it is made.
  std::ofstream(folder.file("broken.jsonc")) << R"({"name": "broken", "title": "T", "steps": [], "expect": {},
      "images": {"factory": {"version": "new"}}})";
  const auto [outcome, report] =
      matrix({"broken.jsonc", "--data", "mqtt", "--quiet", "--junit", "junit.xml"});
  EXPECT_EQ(outcome.code, 1);
  ASSERT_TRUE(report.is_object()) << outcome.err;
  ASSERT_EQ(report["cells"].size(), 1U);
  EXPECT_EQ(report["cells"][0]["result"], "error");
  EXPECT_THAT(report["cells"][0]["reason"].get<std::string>(), HasSubstr("cannot make the image 'factory'"));
  EXPECT_THAT(content(folder.file("junit.xml")), HasSubstr("failures=\"0\" errors=\"1\""));
}

TEST_F(MatrixTest, CtrlCLeavesAPartialReportAndNoProcess) {
  const auto program = start({"matrix", passing(), failing("600"), "--boards", "mps2-an385", "--repeat", "3",
                              "--data", "mqtt", "--jobs", "2", "--json"});
  ASSERT_TRUE(program->wait_for("passed      passing/mps2-an385/mqtt"));
  std::set<pid_t> processes;
  for (const pid_t child : program->children()) {
    processes.insert(child);
    processes.merge(descendants(child));
  }
  EXPECT_GE(processes.size(), 2U);
  program->send(SIGINT);
  const Outcome outcome = program->finish();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_THAT(outcome.err, HasSubstr("interrupted; the report of what had ended is in "));
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["complete"], false);
  ASSERT_EQ(report["cells"].size(), 6U);
  EXPECT_GE(report["passed"], 1);
  EXPECT_EQ(report["passed"].get<int>() + report["failed"].get<int>(), 6);
  EXPECT_EQ(report["cells"][0]["result"], "passed");
  EXPECT_EQ(report["cells"][1]["result"], "interrupted");
  EXPECT_EQ(report["cells"][5]["result"], "interrupted");
  EXPECT_EQ(report["cells"][5]["reason"], "it was not begun");
  EXPECT_EQ(json::parse(content(fs::path(report["run"].get<std::string>()) / "matrix.json")), report);
  expect_gone(processes);
  expect_clean();
}

TEST_F(MatrixTest, ASecondInterruptionKillsWhatDoesNotEnd) {
  const auto program = start({"matrix", passing(), failing("600"), "--boards", "mps2-an385", "--data", "mqtt",
                              "--jobs", "2", "--json"});
  ASSERT_TRUE(program->wait_for("passed      passing/mps2-an385/mqtt"));
  const pid_t cell = program->child("otasim");
  ASSERT_GT(cell, 0);
  ASSERT_EQ(kill(cell, SIGSTOP), 0) << "it will not hear that it is to end";
  // Two different ones: of one signal that is pending, a second is lost.
  program->send(SIGINT);
  program->send(SIGTERM);
  const Outcome outcome = program->finish();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["cells"][1]["result"], "interrupted");
  expect_gone({cell});
  expect_clean();
}

TEST_F(MatrixTest, TwoAtOnceDoNotDisturbEachOther) {
  const std::string file = passing();
  const std::vector<std::string> arguments{"matrix", file, "--boards", "mps2-an385",
                                           "--jobs", "2",  "--json",   "--quiet"};
  const auto one = start(arguments);
  const auto other = start(arguments);
  const Outcome first = one->finish();
  const Outcome second = other->finish();
  EXPECT_EQ(first.code, 0) << first.out << first.err;
  EXPECT_EQ(second.code, 0) << second.out << second.err;
  EXPECT_NE(json::parse(first.out)["run"], json::parse(second.out)["run"]);
  EXPECT_EQ(names(json::parse(first.out)), names(json::parse(second.out)));
  expect_clean();
}

}  // namespace
}  // namespace otasim::test
