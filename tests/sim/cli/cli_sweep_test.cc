// `otasim sweep power-cut` as a user meets it. One scenario, recorded once on the board under test, serves
// all tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/property_tree/xml_parser.hpp>
#include <filesystem>
#include <set>
#include <sstream>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "tests/board_under_test.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Bytes = std::vector<std::uint8_t>;

constexpr const char* kScenario = "OTAE2EImageCrashed";
/// Long enough to be interrupted: every byte of every operation.
constexpr const char* kLongGranularity = "byte";

class CliSweep : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir(TempDir::create().value());
    fs::create_directory(folder_->file("tmp"));
    outcome_ = new Outcome(sweep({"--scenario", kScenario, "--board", board_name(), "--granularity", "op",
                                  "--json", "--out", folder_->file("first")}));
  }
  static void TearDownTestSuite() {
    delete outcome_;
    delete folder_;
  }
  void SetUp() override { ASSERT_EQ(outcome_->code, 0) << outcome_->out << outcome_->err; }
  void TearDown() override {
    EXPECT_TRUE(fs::is_empty(folder_->file("tmp"))) << "nothing of the machines is left";
  }

  static std::vector<std::string> command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"sweep", "power-cut"});
    return arguments;
  }
  static std::vector<std::string> environment() { return {"TMPDIR=" + folder_->file("tmp")}; }
  static Outcome sweep(std::vector<std::string> arguments) {
    return test::run(command(std::move(arguments)), environment());
  }
  /// Of the recording there is.
  static Outcome sweep_again(const std::string& out, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--recording", recording(), "--out", folder_->file(out)});
    return sweep(std::move(arguments));
  }
  static std::string recording() { return folder_->file("first/recordings/") + kScenario; }
  static std::string text_of(const std::string& path) {
    const auto bytes = read_file(path);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "no file " + path;
  }
  static json json_of(const std::string& path) { return json::parse(text_of(path)); }
  static boost::property_tree::ptree xml_of(const std::string& path) {
    std::istringstream in(text_of(path));
    boost::property_tree::ptree tree;
    boost::property_tree::read_xml(in, tree);  // throws unless it is well-formed
    return tree;
  }
  /// A copy of the recording in which OTP says that newer images were committed than there are: a state that
  /// no bootloader leaves, and in which nothing but recovery starts.
  static std::string spoilt_recording(const std::string& name) {
    const std::string copy = folder_->file(name);
    fs::copy(recording(), copy, fs::copy_options::recursive);
    for (const char* file : {"/devices/thing-1/factory.bin", "/devices/thing-1/flash.bin"}) {
      Bytes window = read_file(copy + file).value();
      std::fill_n(window.begin() + flash::kOtpOffset, 20, std::uint8_t{0});
      EXPECT_TRUE(write_file_atomic(copy + file, window));
    }
    return copy;
  }

  static TempDir* folder_;
  static Outcome* outcome_;
};
TempDir* CliSweep::folder_ = nullptr;
Outcome* CliSweep::outcome_ = nullptr;

void expect_counts(const json& value) {
  for (const char* name : {"cases", "boots", "distinct_states", "failures"})
    EXPECT_TRUE(value[name].is_number_unsigned()) << name << " of " << value;
  for (const char* name : {"cases_per_s", "boots_per_s", "seconds"})
    EXPECT_TRUE(value[name].is_number_float()) << name << " of " << value;
}

// ---- what it says

TEST_F(CliSweep, CountsAndRatesAreOneObject) {
  const json result = json::parse(outcome_->out);
  expect_counts(result);
  EXPECT_GT(result["cases"], 50);
  EXPECT_GT(result["boots"], 0);
  EXPECT_GT(result["cases_per_s"], 0);
  EXPECT_EQ(result["failures"], 0);
  EXPECT_EQ(result["failed_cases"], json::array());
  EXPECT_EQ(result["complete"], true);
  ASSERT_EQ(result["recordings"].size(), 1U);
  const json& one = result["recordings"][0];
  expect_counts(one);
  EXPECT_EQ(one["recording"], kScenario);
  EXPECT_EQ(one["board"], board_name());
  EXPECT_EQ(one["granularity"], "op");
  EXPECT_EQ(one["cuts"], 1);
  EXPECT_EQ(one["run"], recording());
}

TEST_F(CliSweep, EachOperationAndKindOfCutIsInTheFile) {
  const json printed = json::parse(outcome_->out);
  json file = json_of(folder_->file("first/sweep.json"));
  const json operations = file["recordings"][0]["results"];
  file["recordings"][0].erase("results");
  EXPECT_EQ(file, printed) << "the file is what is printed, and each operation";
  ASSERT_EQ(operations.size(), printed["recordings"][0]["operations"].get<std::size_t>());
  std::uint64_t cases = 0;
  std::set<std::string> sources;
  std::set<std::string> partitions;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const json& operation = operations[i];
    EXPECT_EQ(operation["operation"], i);
    EXPECT_EQ(operation["failures"], json::object());
    for (const auto& [kind, count] : operation["cases"].items()) {
      EXPECT_TRUE(kind == "before" || kind == "after") << kind;
      cases += count.get<std::uint64_t>();
    }
    sources.insert(operation["source"]);
    partitions.insert(operation["partition"]);
  }
  EXPECT_EQ(cases, printed["cases"]);
  EXPECT_TRUE(sources.contains("boot") && sources.contains("agent"));
  EXPECT_TRUE(partitions.contains("boot-control-0") && partitions.contains("slot-b"));
}

TEST_F(CliSweep, JunitIsWellFormedAndCountsTheSame) {
  const auto suite = xml_of(folder_->file("first/junit.xml")).get_child("testsuite");
  EXPECT_EQ(suite.get<std::string>("<xmlattr>.name"), "otasim.sweep");
  EXPECT_EQ(suite.get<int>("<xmlattr>.failures"), 0);
  std::uint64_t cases = 0;
  int tests = 0;
  for (const auto& [name, test] : suite) {
    if (name != "testcase") continue;
    ++tests;
    EXPECT_EQ(test.get<std::string>("<xmlattr>.classname"), board_name() + "." + kScenario + ".power-cut");
    for (const auto& [ignored, property] : test.get_child("properties")) {
      if (property.get<std::string>("<xmlattr>.name") == "cases")
        cases += property.get<std::uint64_t>("<xmlattr>.value");
    }
  }
  EXPECT_EQ(suite.get<int>("<xmlattr>.tests"), tests);
  EXPECT_GT(tests, 3);
  EXPECT_EQ(cases, json::parse(outcome_->out)["cases"]);
}

TEST_F(CliSweep, TheRecordingIsARunThatIsKept) {
  EXPECT_EQ(json_of(recording() + "/result.json")["scenario"], kScenario);
}

TEST_F(CliSweep, NativeBootsTheSameRecordingAndNestsCuts) {
  const Outcome single = sweep_again("native-1", {"--board", "native", "--granularity", "op", "--json"});
  ASSERT_EQ(single.code, 0) << single.out << single.err;
  const json native = json::parse(single.out);
  const json board = json::parse(outcome_->out);
  for (const char* name : {"cases", "distinct_states", "failures"})
    EXPECT_EQ(native[name], board[name]) << name;
  const Outcome pairs = sweep_again("native-2", {"--board", "native", "--cuts", "2", "--json"});
  ASSERT_EQ(pairs.code, 0) << pairs.out << pairs.err;
  const json nested = json::parse(pairs.out);
  EXPECT_EQ(nested["failures"], 0);
  EXPECT_GT(nested["cases"], 10 * native["cases"].get<int>());
  const json operations = json_of(folder_->file("native-2/sweep.json"))["recordings"][0]["results"];
  EXPECT_TRUE(
      std::ranges::any_of(operations, [](const json& one) { return one["cases"].contains("later"); }));
  EXPECT_TRUE(
      std::ranges::any_of(operations, [](const json& one) { return one["cases"].contains("marginal"); }));
}

TEST_F(CliSweep, ACaseIsPlayedAloneAndShown) {
  const Outcome outcome =
      sweep_again("case", {"--board", board_name(), "--granularity", "op", "--case", "2:0"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("case 2:0\n"), HasSubstr("boot 1\n"), HasSubstr("boot: start slot=A")));
  EXPECT_THAT(outcome.out, HasSubstr(" 1 cases"));
}

// ---- completion

TEST_F(CliSweep, CutUpdatesAreCompletedByDeviceAndCloud) {
  const Outcome outcome = sweep_again("completed", {"--board", board_name(), "--granularity", "op",
                                                    "--complete", "--samples", "2", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  const json completions = json::parse(outcome.out)["completions"];
  EXPECT_GE(completions["cases"], 2);
  EXPECT_EQ(completions["failures"], 0);
  // The image crashes: its job ends as it did when it was recorded.
  EXPECT_EQ(completions["outcomes"], json({{"FAILED", completions["cases"]}}));
  const auto files = fs::directory_iterator(folder_->file("completed"));
  EXPECT_EQ(std::distance(begin(files), end(files)), 3)
      << "sweep.json, junit.xml and report.html; nothing of cases that passed";
}

/// The first operation at which the cloud knew of the job.
TEST_F(CliSweep, ACompletionIsPlayedAloneWithAndWithoutItsLastMessage) {
  const json snapshots = json_of(recording() + "/snapshots/snapshots.json")["snapshots"];
  ASSERT_GE(snapshots.size(), 2);
  const json operations = json_of(folder_->file("first/sweep.json"))["recordings"][0]["results"];
  const auto at = std::ranges::find_if(operations, [&](const json& one) {
    return one["sequence"] > snapshots[1]["operation"] && one["cases"].contains("before");
  });
  ASSERT_NE(at, operations.end());
  const std::string name = (*at)["operation"].dump() + ":0";
  for (const bool is_delivered : {true, false}) {
    std::vector<std::string> arguments{"--board", board_name(), "--complete", "--case", name, "--json"};
    if (!is_delivered) arguments.emplace_back("--undelivered");
    const std::string out = is_delivered ? "delivered" : "undelivered";
    const Outcome outcome = sweep_again(out, arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    const json result = json::parse(outcome.out);
    EXPECT_EQ(result["delivered"], is_delivered);
    EXPECT_EQ(result["case"], name);
    EXPECT_EQ(result["jobs"][0]["status"], "FAILED");
    EXPECT_EQ(json_of(folder_->file(out + "/result.json")), result);
  }
}

TEST_F(CliSweep, WhatHoldsTheLabsKeysIsItsOwnersAlone) {
  const auto mode = [](const std::string& path) { return fs::status(path).permissions() & fs::perms::all; };
  const auto kOwners = fs::perms::owner_read | fs::perms::owner_write;
  EXPECT_EQ(mode(recording() + "/snapshots"), fs::perms::owner_all);
  EXPECT_EQ(mode(recording() + "/devices/thing-1/factory.bin"), kOwners);
  EXPECT_EQ(mode(recording() + "/devices/thing-1/flash.bin"), kOwners);
}

// ---- failures

TEST_F(CliSweep, AFailureIsACommand) {
  const std::string spoilt = spoilt_recording("spoilt's");  // a name for a shell
  const Outcome failed = sweep({"--recording", spoilt, "--board", "native", "--granularity", "op", "--json",
                                "--out", folder_->file("failed"), "--junit", folder_->file("own.xml")});
  EXPECT_EQ(failed.code, 1) << failed.out << failed.err;
  EXPECT_THAT(failed.err, AllOf(HasSubstr("failed " + std::string(kScenario) + " cut at "),
                                HasSubstr("repeat: otasim sweep power-cut --recording"),
                                HasSubstr("cases broke an invariant")));
  const json result = json::parse(failed.out);
  EXPECT_GT(result["failures"], 0);
  ASSERT_FALSE(result["failed_cases"].empty());
  const json& first = result["failed_cases"][0];
  EXPECT_THAT(first["violations"].dump(), HasSubstr("S1: "));
  EXPECT_FALSE(first["consoles"].empty());
  const auto suite = xml_of(folder_->file("own.xml")).get_child("testsuite");
  EXPECT_GT(suite.get<int>("<xmlattr>.failures"), 0);
  EXPECT_FALSE(fs::exists(folder_->file("failed/junit.xml")));

  // The shell reads the command as it is printed.
  const std::string repeat = first["repeat"];
  ASSERT_THAT(repeat, ::testing::StartsWith("otasim "));
  const Outcome again =
      sweep({"--recording", spoilt, "--board", "native", "--granularity", "op", "--seed", "1", "--case",
             first["case"].get<std::string>(), "--json", "--out", folder_->file("repeated")});
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(json::parse(again.out)["failed_cases"][0]["violations"], first["violations"]);
  EXPECT_THAT(repeat, HasSubstr("--board native --granularity op --seed 1 --case " +
                                first["case"].get<std::string>()));
  EXPECT_THAT(repeat, HasSubstr("'\\''")) << "quoted for a shell";
}

// ---- Ctrl-C

TEST_F(CliSweep, CtrlCLeavesAReportAndNoMachine) {
  // The first failure is told at once: then the machines are at work.
  Program program(
      command({"--recording", spoilt_recording("spoilt"), "--board", board_name(), "--granularity",
               kLongGranularity, "--json", "--out", folder_->file("interrupted")}),
      environment());
  ASSERT_TRUE(program.wait_for("repeat: otasim sweep power-cut"));
  std::set<pid_t> machines;
  for (const pid_t pid : program.children()) machines.insert(pid);
  EXPECT_THAT(machines, Not(IsEmpty()));
  program.send(SIGINT);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("interrupted; the report of what had ended is in "));
  const json result = json::parse(outcome.out);
  EXPECT_EQ(result["complete"], false);
  EXPECT_GT(result["cases"], 0);
  EXPECT_EQ(json_of(folder_->file("interrupted/sweep.json"))["complete"], false);
  (void)xml_of(folder_->file("interrupted/junit.xml"));
  for (const pid_t pid : machines) EXPECT_NE(kill(pid, 0), 0) << pid << " is left";
}

// ---- what cannot be swept

TEST_F(CliSweep, WhatIsWrongIsSaidWithWhatToDo) {
  const std::string other = board_name() == "mps2-an386" ? "mps2-an385" : "mps2-an386";
  fs::create_directory(folder_->file("empty"));
  struct Row {
    std::vector<std::string> arguments;
    const char* message;
    const char* hint;
  };
  const std::vector<Row> rows{
      {{"--scenario", "OTAE2EImageCrash"},
       "no scenario 'OTAE2EImageCrash'",
       "Did you mean 'OTAE2EImageCrashed'?"},
      {{"--scenario", kScenario, "--scenario", "OTAE2EGreaterVersio"},
       "no scenario 'OTAE2EGreaterVersio'",
       "Did you mean 'OTAE2EGreaterVersion'?"},
      {{"--recording", folder_->file("empty")}, "has no result.json", "--scenario NAME"},
      {{"--recording", folder_->file("none")}, "Directory does not exist", ""},
      {{"--recording", recording(), "--board", other}, "was recorded on", "Give --board"},
      {{"--recording", recording(), "--case", "5"}, "--case '5' names no case", "OPERATION:BYTES"},
      {{"--recording", recording(), "--board", "native", "--case", "100000:0"}, "no operation 100000", ""},
      {{"--recording", recording(), "--board", "native", "--case", "2:0/7.0:0"},
       "no case 2:0/7.0:0",
       "granularity"},
      {{"--case", "5:0"}, "--case needs one --recording", ""},
      {{"--recording", recording(), "--board", "native", "--complete"},
       "--complete needs a board in QEMU",
       ""},
      {{"--recording", recording(), "--board", board_name(), "--undelivered"},
       "--undelivered belongs to",
       ""},
      {{"--recording", recording(), "--board", board_name(), "--complete", "--case", "5:0+4"},
       "more than a single firm cut",
       "OPERATION:BYTES"},
      {{"--recording", recording(), "--board", board_name(), "--complete", "--case", "2:99999"},
       "that changes 99999 bytes",
       ""},
      {{"--recording", recording(), "--board", board_name(), "--complete", "--case", "0:0"},
       "the cloud knows of no job",
       ""},
      {{"--recording", recording(), "--junit", folder_->file("none/junit.xml")},
       "no file can be written there",
       ""},
      {{"--board", "mps2-an38"}, "mps2-an38", ""},
      {{"--granularity", "fine"}, "fine not in {op,torn,byte}", ""},
      {{"--cuts", "0"}, "not in range", ""},
      {{"--cuts", "9"}, "not in range", ""},
      {{"--jobs", "0"}, "not in range", ""},
      {{"--seed", "x"}, "--seed", ""},
      {{"--recording", recording(), "--out", folder_->file("first")}, "exists already", "--out"},
  };
  int number = 0;
  for (const Row& row : rows) {
    auto arguments = row.arguments;
    const std::string out = folder_->file("refused-" + std::to_string(number++));
    if (std::ranges::find(arguments, "--out") == arguments.end())
      arguments.insert(arguments.end(), {"--out", out});
    const Outcome outcome = sweep(arguments);
    EXPECT_EQ(outcome.code, 2) << row.message << "\n" << outcome.out << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(row.message), HasSubstr(row.hint)));
    EXPECT_EQ(outcome.out, "");
    EXPECT_FALSE(fs::exists(out)) << row.message << ": it has left an empty folder";
  }
}

TEST_F(CliSweep, LeavesAPageThatLinksItsRecordings) {
  const auto page = read_file(folder_->file("first") + "/report.html");
  ASSERT_TRUE(page.has_value()) << outcome_->err;
  const std::string html(page->begin(), page->end());
  EXPECT_THAT(html, HasSubstr("recordings/OTAE2EImageCrashed/report.html"));
  EXPECT_TRUE(fs::exists(folder_->file("first") + "/recordings/OTAE2EImageCrashed/report.html"));
}

}  // namespace
}  // namespace otasim::test
