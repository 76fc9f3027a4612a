// Scenarios as a user plays them: files of his own, what is said when they do not hold or cannot be played.
// Each is played on a real device in QEMU.
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
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ScenarioTest, ARunThatHoldsIsToldInEveryForm) {
  const Outcome outcome = otasim({"run", passing(), "--data", "mqtt", "--set", "version=1.2.3", "--json",
                                  "--junit", "junit.xml", "--out", "run", "--seed", "5"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  EXPECT_EQ(result["scenario"], "passing");
  EXPECT_EQ(result["class"], "own");
  EXPECT_EQ(result["board"], "mps2-an385");
  EXPECT_EQ(result["data"], "mqtt");
  EXPECT_EQ(result["seed"], 5);
  EXPECT_EQ(result["result"], "passed");
  EXPECT_EQ(result["reason"], "");
  EXPECT_EQ(result["failures"], json::array());
  EXPECT_GT(result["wall_ms"], 0);
  EXPECT_EQ(result["jobs"], json::array());
  EXPECT_EQ(result["run"], folder.file("run"));
  EXPECT_EQ(result["repeat"],
            "otasim run passing.jsonc --board mps2-an385 --data mqtt --seed 5 --set version=1.2.3");
  ASSERT_EQ(result["devices"].size(), 1U);
  EXPECT_EQ(result["devices"][0]["device"], "thing-1");
  EXPECT_EQ(result["devices"][0]["starts_next"], "1.2.3");
  EXPECT_EQ(result["devices"][0]["slot"], "A");
  EXPECT_EQ(result["devices"][0]["standing"], "committed");
  EXPECT_EQ(result["devices"][0]["clean_boots"].size(), 2U);
  EXPECT_EQ(json::parse(content(folder.file("run/result.json"))), result);
  EXPECT_THAT(content(folder.file("junit.xml")),
              AllOf(HasSubstr("<testsuite name=\"otasim\" tests=\"1\" failures=\"0\" errors=\"0\""),
                    HasSubstr("<testcase classname=\"mps2-an385.mqtt\" name=\"passing\" time="),
                    HasSubstr("<property name=\"seed\" value=\"5\"/>")));
  for (const char* file :
       {"events.jsonl", "broker.log", "devices/thing-1/uart.log", "devices/thing-1/flash.bin",
        "devices/thing-1/flash.ops", "devices/thing-1/link.pcap", "report.html"}) {
    EXPECT_TRUE(fs::exists(folder.file("run") / fs::path(file))) << file;
  }
  EXPECT_THAT(content(folder.file("run/report.html")),
              AllOf(HasSubstr("<title>passing on mps2-an385 over mqtt: passed</title>"),
                    HasSubstr("boot: start slot=A version=1.2.3"), Not(HasSubstr("\"problem\":\"cannot"))));
  // Made again from the same files it is the same.
  const Outcome built = otasim({"report", "build", "run", "--out", "again.html"});
  ASSERT_EQ(built.code, 0) << built.err;
  EXPECT_EQ(content(folder.file("again.html")), content(folder.file("run/report.html")));
  expect_clean();
}

TEST_F(ScenarioTest, ARunThatHoldsCanLeaveNothing) {
  const Outcome outcome =
      otasim({"run", passing(), "--data", "http", "--out", "run", "--discard-passed", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("passed passing/mps2-an385/http \\([0-9]+ ms\\)\n"));
  EXPECT_EQ(outcome.err, "");
  EXPECT_FALSE(fs::exists(folder.file("run")));
  expect_clean();
}

TEST_F(ScenarioTest, ARunCanLeaveNoReport) {
  const Outcome outcome = otasim({"run", passing(), "--data", "mqtt", "--no-report", "--out", "run"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(fs::exists(folder.file("run/report.html")));
  // It is made when somebody wants to see it; here nobody has a desktop.
  const Outcome opened = otasim({"report", "open", "run"});
  EXPECT_EQ(opened.code, 0) << opened.err;
  EXPECT_THAT(opened.out, HasSubstr(folder.file("run/report.html")));
  EXPECT_TRUE(fs::exists(folder.file("run/report.html")));
}

TEST_F(ScenarioTest, RunsOnTheFirstBoardUnlessOthersAreNamed) {
  const Outcome outcome = otasim({"run", passing(), "--data", "mqtt", "--board", "all"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("passed passing/mps2-an385/mqtt"));
  EXPECT_THAT(outcome.out, HasSubstr("passed passing/emcraft-sf2/mqtt"));
}

TEST_F(ScenarioTest, AWaitThatEndsAtItsLimitSaysWhatItWaitedForAndWhatItSawLast) {
  const Outcome outcome =
      otasim({"run", failing(), "--data", "mqtt", "--quiet", "--out", "run", "--junit", "junit.xml"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, StartsWith("failed failing/mps2-an385/mqtt ("));
  const std::string waited =
      R"(failing.jsonc:6: wait did not end within 0.2 s; it waited for {"event":"cloud.job_execution","status":"SUCCEEDED"})";
  EXPECT_THAT(outcome.out, HasSubstr(waited + "; the console's last line was 'app: "));
  EXPECT_THAT(outcome.out, HasSubstr("run:    " + folder.file("run") + "\n"));
  const std::string repeat = "otasim run failing.jsonc --board mps2-an385 --data mqtt --seed 1";
  EXPECT_THAT(outcome.out, HasSubstr("repeat: " + repeat + "\n"));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("1 of 1 runs did not pass"), HasSubstr(repeat)));
  const json result = json::parse(content(folder.file("run/result.json")));
  EXPECT_EQ(result["result"], "failed");
  EXPECT_THAT(result["reason"].get<std::string>(), HasSubstr(waited));
  EXPECT_EQ(result["failures"].size(), 1U) << "the invariants hold all the same";
  EXPECT_THAT(
      content(folder.file("junit.xml")),
      AllOf(HasSubstr("failures=\"1\""), HasSubstr("<failure message=\"failing.jsonc:6: wait did not end"),
            HasSubstr("--- console of thing-1 ---"), HasSubstr("boot: start slot=A version=1.0.0")));
  EXPECT_THAT(content(folder.file("run/devices/thing-1/uart.log")), HasSubstr("boot: start slot=A"));
  expect_clean();
}

TEST_F(ScenarioTest, ARunThatCannotBePlayedStandsInTheJUnitFileBesideThoseBefore) {
  // That the image has no version is found only when it is made.
  std::ofstream(folder.file("broken.jsonc")) << R"({"name": "broken", "title": "T", "steps": [], "expect": {},
      "images": {"factory": {"version": "new"}}})";
  const Outcome outcome =
      otasim({"run", passing(), "broken.jsonc", "--data", "mqtt", "--quiet", "--junit", "junit.xml"});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(content(folder.file("junit.xml")),
              AllOf(HasSubstr("tests=\"2\" failures=\"0\" errors=\"1\""), HasSubstr("name=\"passing\""),
                    HasSubstr("<error message=\"cannot make the image &#39;factory&#39;")));
  expect_clean();
}

TEST_F(ScenarioTest, AnExpectationThatDoesNotHoldIsAFailure) {
  const std::string file = write(
      "wrong", kConnected, R"({"devices": [{"running": "2.0.0"}], "never": [{"event": "boot.start"}]})");
  const Outcome outcome = otasim({"run", file, "--data", "mqtt", "--quiet", "--json"});
  EXPECT_EQ(outcome.code, 1);
  const json result = json::parse(outcome.out);
  ASSERT_EQ(result["failures"].size(), 2U) << result["failures"];
  EXPECT_EQ(result["failures"][0], "thing-1 runs 1.0.0, expected 2.0.0");
  EXPECT_THAT(result["failures"][1].get<std::string>(), StartsWith("this was never to happen: "));
}

TEST_F(ScenarioTest, AFaultOfTheCommandLineStrikes) {
  const std::string file =
      write("reset", std::string(kConnected) +
                         R"(, {"wait": {"for": {"event": "device.reset", "cause": "external"}}})" + ",\n" +
                         kConnected);
  const Outcome outcome = otasim({"run", file, "--data", "mqtt", "--quiet", "--out", "run", "--fault",
                                  R"({"device.reset": {"when": {"event": "broker.client_connected"}}})"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(content(folder.file("run/events.jsonl")), HasSubstr("\"fault\":\"device.reset\""));
}

TEST_F(ScenarioTest, CtrlCEndsARun) {
  const std::string file = failing("600");
  const auto program = start({"run", file, "--data", "mqtt"});
  ASSERT_TRUE(program->wait_for("app: connected"));
  std::set<pid_t> processes;
  for (const pid_t child : program->children()) processes.insert(child);
  EXPECT_FALSE(processes.empty());
  program->send(SIGINT);
  const Outcome outcome = program->finish();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("otasim: interrupted"), HasSubstr("The run folder is ")));
  expect_gone(processes);
  expect_clean();
}

/// Of a run that kills its simulator, the process that should go on with the lab does not come so far.
TEST_F(ScenarioTest, ALabThatNobodyGoesOnWithIsRemoved) {
  const std::string file = write("killed", std::string(kConnected) + ",\n{\"kill_simulator\": {}}");
  FolderWatch labs(folder.file("tmp"), IN_CREATE);
  const auto program = start({"run", file, "--data", "mqtt", "--out", "run"});
  ASSERT_TRUE(labs.wait_for("otasim-")) << "the scenario is read before there is a lab";
  fs::remove(folder.file(file));
  const Outcome outcome = program->finish();
  EXPECT_EQ(outcome.code, 3) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("killed.jsonc"));
  expect_clean();
}

TEST_F(ScenarioTest, CtrlCEndsARunThatHasKilledItsSimulator) {
  const std::string file = write("killed", std::string(kConnected) + R"(,
{"kill_simulator": {}},
{"wait": {"limit_s": 600, "for": {"event": "cloud.job_execution", "status": "SUCCEEDED"}}})");
  FolderWatch labs(folder.file("tmp"), IN_CREATE);
  const auto program = start({"run", file, "--data", "mqtt", "--out", "run"});
  ASSERT_TRUE(labs.wait_for("otasim-"));
  FolderWatch run(folder.file("run"), IN_DELETE);
  ASSERT_TRUE(run.wait_for("checkpoint.json")) << "the second process begins";
  program->send(SIGINT);
  const Outcome outcome = program->finish();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  expect_clean();
}

// ---- what cannot be played

TEST_F(ScenarioTest, WhatIsMisspeltIsSaidWithWhatIsNear) {
  const std::string file = passing();
  struct Row {
    std::vector<std::string> arguments;
    const char* message;
    const char* hint;
  };
  const std::vector<Row> rows{
      {{"OTAE2EGreaterVersio"},
       "otasim: there is no scenario 'OTAE2EGreaterVersio'\n",
       "Did you mean 'OTAE2EGreaterVersion'?"},
      {{"includ"}, "there is no scenario 'includ'\n", "otasim scenario list shows them"},
      {{"none.jsonc"}, "none.jsonc", ""},
      {{file, "--set", "verson=1"},
       "the scenario 'passing' has no parameter 'verson'\n",
       "Did you mean 'version'?"},
      {{file, "--set", "version"}, "--set 'version' is not NAME=VALUE", ""},
      {{file, "--fault", "device.rest"},
       "--fault 'device.rest': fault has no member 'device.rest'\n",
       "Did you mean 'device.reset'?"},
      {{file, "--fault", "device.reset,device=thing-2"},
       "--fault 'device.reset,device=thing-2': there is no device 'thing-2'\n",
       "There is: thing-1."},
      {{file, "--board", "mps2"}, "--board", "mps2-an385"},
      {{file, "--data", "coap"}, "--data", "mqtt"},
      {{file, "--set", "version=new"}, "cannot make the image 'factory'", ""},
      {{file, "--data", "mqtt", "--out", "tmp"},
       "the run folder 'tmp' exists already\n",
       "Give a new one with --out."}};
  for (const Row& row : rows) {
    std::vector<std::string> arguments{"run"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Outcome outcome = otasim(arguments);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(row.arguments) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(row.message), HasSubstr(row.hint)));
    EXPECT_EQ(outcome.out, "");
  }
  expect_clean();
}

TEST_F(ScenarioTest, OptionsMayStandBeforeTheScenario) {
  const std::string file = passing();
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"run", "--set", "verson=1"},
           {"run", "--data", "mqtt,http", "--board", "mps2-an385", "--set", "verson=1"},
           {"run", "--fault", "device.reset", "--set", "verson=1"}}) {
    std::vector<std::string> arguments = options;
    arguments.push_back(file);
    EXPECT_THAT(otasim(arguments).err, HasSubstr("the scenario 'passing' has no parameter 'verson'"))
        << ::testing::PrintToString(arguments);
  }
  for (const char* option : {"--boards=mps2-an385", "--data=mqtt", "--class=aws"}) {
    const std::string name = std::string(option).substr(0, std::string(option).find('='));
    const std::string value = std::string(option).substr(name.size() + 1);
    EXPECT_THAT(otasim({"matrix", "--class", "aws", name, value, file}).err,
                HasSubstr("no cell is left by these options"))
        << option;
  }
}

TEST_F(ScenarioTest, CheckSaysWhatIsWrongAndWhere) {
  EXPECT_EQ(otasim({"scenario", "check", passing()}).code, 0);
  const std::string bad = write("bad", R"({"say": {"text": "fine"}},
{"wiat": {}})");
  const Outcome outcome = otasim({"scenario", "check", bad});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "otasim: bad.jsonc:6: step has no member 'wiat'\n  Did you mean 'wait'?\n");
  // What counts over one protocol only is checked, too.
  const std::string http = write("http", R"({"say": {"text": "fine"}},
{"power": {"device": "thing-9", "to": "on"}, "only": {"data": "http"}})");
  EXPECT_THAT(otasim({"scenario", "check", http}).err,
              HasSubstr("http.jsonc:6: there is no device 'thing-9'"));
}

TEST_F(ScenarioTest, TheLibraryIsListedAndSound) {
  EXPECT_EQ(otasim({"scenario", "check"}).code, 0);
  const Outcome table = otasim({"scenario", "list"});
  EXPECT_EQ(table.code, 0);
  EXPECT_THAT(table.out, HasSubstr("OTAE2EGreaterVersion"));
  bool is_there = false;
  for (const json& entry : json::parse(otasim({"scenario", "list", "--json"}).out)) {
    EXPECT_TRUE(fs::exists(entry["path"].get<std::string>())) << entry;
    for (const char* member : {"title", "class", "slow", "boards", "data"})
      EXPECT_TRUE(entry.contains(member)) << member;
    is_there = is_there || entry["name"] == "OTAE2EGreaterVersion";
  }
  EXPECT_TRUE(is_there);
  const json schema = json::parse(otasim({"scenario", "schema"}).out);
  EXPECT_TRUE(schema["properties"].contains("steps"));
}

TEST_F(ScenarioTest, CTestKnowsEachCell) {
  const Outcome outcome = otasim({"scenario", "list", "--ctest"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("add_test(\"OTAE2EGreaterVersion/mps2-an385/http\" \""));
  EXPECT_THAT(outcome.out, HasSubstr("LABELS \"quick;e2e;an385;http;aws\" TIMEOUT 120)"));
}

TEST_F(ScenarioTest, ANewFileNeedsANameOfItsOwn) {
  const Outcome made = otasim({"scenario", "new", "mine"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(
      made.out,
      StartsWith(
          "mine.jsonc: written; edit it, then: otasim scenario check mine.jsonc; otasim run mine.jsonc"));
  const std::string text = content(folder.file("mine.jsonc"));
  EXPECT_THAT(text, AllOf(StartsWith("// "), HasSubstr("\"name\": \"mine\"")));
  const Outcome again = otasim({"scenario", "new", "mine.jsonc"});
  EXPECT_EQ(again.code, 2);
  EXPECT_EQ(again.err, "otasim: 'mine.jsonc' exists already\n  Choose another name.\n");
  EXPECT_EQ(content(folder.file("mine.jsonc")), text);
  for (const char* name : {"mine.txt", "a\"b", "none/mine"}) {
    EXPECT_EQ(otasim({"scenario", "new", name}).code, 2) << name;
  }
}

TEST_F(ScenarioTest, ANewFileIsSoundAndHolds) {
  ASSERT_EQ(otasim({"scenario", "new", "mine"}).code, 0);
  const Outcome checked = otasim({"scenario", "check", "mine.jsonc"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.out, "mine.jsonc: ok\n");
  const Outcome played = otasim({"run", "mine.jsonc", "--quiet"});
  EXPECT_EQ(played.code, 0) << played.out << played.err;
  EXPECT_THAT(played.out,
              AllOf(HasSubstr("passed mine/mps2-an385/mqtt"), HasSubstr("passed mine/mps2-an385/http")));
}

}  // namespace
}  // namespace otasim::test
