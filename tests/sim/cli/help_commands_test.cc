// `otasim explain` and `otasim doctor`, as a user calls them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "program.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Explain, TellsMeaningCauseAndWhatToLookAt) {
  const Outcome told = run({"explain", "SAME_FIRMWARE_VERSION"});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, StartsWith("OtaErrSameFirmwareVersion (0x10)\n"));
  EXPECT_THAT(told.out, AllOf(HasSubstr("\n  means "), HasSubstr("\n  likely "), HasSubstr("\n  look at "),
                              HasSubstr("\n  topic ")));
}

TEST(Explain, TakesAReasonWithAndWithoutQuotes) {
  const Outcome quoted = run({"explain", "0x000000e7: 0x00000001"});
  EXPECT_THAT(quoted.out, AllOf(HasSubstr("OtaPalBadSignerCert (0xe7)"), HasSubstr("kNotFound (0x01)")));
  EXPECT_EQ(run({"explain", "0x000000e7:", "0x00000001"}).out, quoted.out);
}

TEST(Explain, TakesSeveral) {
  const Outcome told = run({"explain", "trial-failed", "CONNECTION_LOST"});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, AllOf(HasSubstr("trial-failed"), HasSubstr("CONNECTION_LOST")));
}

TEST(Explain, SuggestsForAMistake) {
  const Outcome told = run({"explain", "trail-failed"});
  EXPECT_EQ(told.code, 2);
  EXPECT_EQ(told.out, "");
  EXPECT_THAT(told.err, AllOf(HasSubstr("nothing is known of 'trail-failed'"),
                              HasSubstr("trial-failed (reject-reason)")));
}

TEST(Explain, SpeaksJson) {
  const json told = json::parse(run({"explain", "--json", "rejected: 0xec00000f"}).out);
  ASSERT_EQ(told.size(), 1U);
  ASSERT_EQ(told[0].at("explained").size(), 2U);
  EXPECT_EQ(told[0].at("explained")[0].at("name"), "OtaPalActivateFailed");
  EXPECT_EQ(told[0].at("explained")[1].at("name"), "counter-too-low");
  EXPECT_EQ(told[0].at("explained")[1].at("topic"), "image-verdict");
  EXPECT_TRUE(told[0].at("explained")[1].at("look_at").is_array());
  EXPECT_GT(json::parse(run({"explain", "--json"}).out).size(), 20U);
  EXPECT_EQ(json::parse(run({"explain", "--json", "--topic", "image-verdict"}).out).size(), 20U);
}

TEST(Explain, KnowsFaults) {
  EXPECT_THAT(run({"explain", "link.half_open"}).out, HasSubstr("docs/faults.md"));
}

TEST(Explain, ListsTopicsAndTerms) {
  EXPECT_THAT(run({"explain"}).out, AllOf(HasSubstr("agent-error"), HasSubstr("invariant")));
  EXPECT_THAT(run({"explain", "--topic", "invariant"}).out, AllOf(HasSubstr("\nS1\n"), HasSubstr("\nL2\n")));
  EXPECT_EQ(run({"explain", "--topic", "no-such-topic"}).code, 2);
}

/// A run that failed, and a matrix of it.
class RunFolders : public ::testing::Test {
 protected:
  RunFolders() : folder_(*TempDir::create()) {
    std::filesystem::create_directory(run_folder());
    std::ofstream(run_folder() + "/events.jsonl")
        << R"({"t_us":1500000,"source":"cloud","event":"job_execution","device":"d","job":"j","status":"FAILED",)"
        << R"("details":{"reason":"aborted: 0x0000000e"}})" << '\n';
    const json result{{"scenario", "Case"},
                      {"board", "b"},
                      {"data", "mqtt"},
                      {"result", "failed"},
                      {"repeat", "otasim run Case"},
                      {"failures", {"S3: d: 1.0.0 started"}}};
    std::ofstream(run_folder() + "/result.json") << result;
    const json cells{{{"result", "passed"}, {"run", "/nowhere"}},
                     {{"result", "failed"}, {"run", run_folder()}}};
    std::ofstream(folder_.file("matrix.json")) << json{{"cells", cells}};
  }
  [[nodiscard]] std::string run_folder() const { return folder_.file("run"); }

  TempDir folder_;
};

TEST_F(RunFolders, AreExplained) {
  const Outcome told = run({"explain", "--run", run_folder()});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out,
              AllOf(HasSubstr("Case on b over mqtt: failed"), HasSubstr("S3: d: 1.0.0 started"),
                    HasSubstr("1.500 d: the job j is FAILED"), HasSubstr("OtaErrMomentumAbort: "),
                    HasSubstr("otasim flash show " + run_folder()), HasSubstr("repeat    otasim run Case")));
  const json as_json = json::parse(run({"explain", "--json", "--run", run_folder()}).out);
  EXPECT_EQ(as_json.at("result"), "failed");
  EXPECT_EQ(as_json.at("failures")[0].at("explained")[0].at("name"), "S3");
  EXPECT_EQ(as_json.at("findings")[0].at("explained")[0].at("name"), "OtaErrMomentumAbort");
}

TEST_F(RunFolders, OfAMatrixAreThoseThatFailed) {
  const std::string matrix = folder_.path().string();
  EXPECT_THAT(run({"explain", "--run", matrix}).out, HasSubstr("Case on b over mqtt: failed"));
  EXPECT_EQ(json::parse(run({"explain", "--json", "--run", matrix}).out).size(), 1U);
}

TEST_F(RunFolders, OfAMatrixFromAnotherMachineAreFoundBesideIt) {
  const json cells{{{"result", "failed"}, {"run", "/of/another/machine/run"}},
                   {{"scenario", "Late"},
                    {"board", "b"},
                    {"data", "http"},
                    {"result", "interrupted"},
                    {"reason", "it was not begun"},
                    {"run", "/of/another/machine/0002-Late"}}};
  std::ofstream(folder_.file("matrix.json")) << json{{"cells", cells}};
  const std::string matrix = folder_.path().string();
  const Outcome told = run({"explain", "--run", matrix});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, AllOf(HasSubstr("Case on b over mqtt: failed"),
                              HasSubstr("Late/b/http: interrupted\n\n  it was not begun")));
  const json as_json = json::parse(run({"explain", "--json", "--run", matrix}).out);
  ASSERT_EQ(as_json.size(), 2U);
  EXPECT_EQ(as_json[1].at("result"), "interrupted");
}

TEST(Output, ThatCannotBeWrittenIsAnErrorAndNoBug) {
  const auto folder = TempDir::create();
  const std::string said = folder->file("said");
  // One is shorter than a buffer, and written at the end only.
  for (const char* const command : {"boards --json", "man --markdown"}) {
    const int status =
        std::system(fmt::format("'{}' {} >/dev/full 2>'{}'", OTASIM_PROGRAM, command, said).c_str());
    EXPECT_EQ(WEXITSTATUS(status), 3) << command;
    const auto text = read_file(said);
    EXPECT_THAT(std::string(text->begin(), text->end()),
                StartsWith("otasim: cannot write the output: No space left on device\n"));
  }
  const int status = std::system(fmt::format("'{}' explain 0x999999 2>/dev/full", OTASIM_PROGRAM).c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2) << "the exit code tells it where no text can";
}

const json& check_named(const json& told, const std::string& name) {
  for (const json& one : told.at("checks")) {
    if (one.at("check") == name) return one;
  }
  throw std::runtime_error("no check " + name + " in " + told.dump());
}

TEST(Doctor, SaysWhatIsMissingAndWhatToDo) {
  const auto empty = TempDir::create();
  const std::string path = "PATH=" + empty->path().string();
  const Outcome told = run({"doctor", "--no-boot"}, {path});
  EXPECT_EQ(told.code, 3);
  EXPECT_THAT(told.out, AllOf(HasSubstr("FAIL  emulator "), HasSubstr("apt-get install qemu-system-arm"),
                              HasSubstr("warn  gdb-multiarch"), Not(HasSubstr("trial boot"))));
  const json as_json = json::parse(run({"doctor", "--no-boot", "--json"}, {path}).out);
  EXPECT_EQ(as_json.at("ok"), false);
  EXPECT_EQ(check_named(as_json, "emulator").at("verdict"), "failed");
  EXPECT_EQ(check_named(as_json, "asciinema").at("verdict"), "warning");
  EXPECT_EQ(check_named(as_json, "loopback").at("verdict"), "ok");
}

TEST(Doctor, FindsThisMachinesProgramsAndTheirVersions) {
  const json told = json::parse(run({"doctor", "--no-boot", "--json"}).out);
  EXPECT_THAT(check_named(told, "emulator").at("found").get<std::string>(),
              HasSubstr("QEMU emulator version"));
  EXPECT_EQ(check_named(told, "emulator's plugins").at("verdict"), "ok");
  EXPECT_EQ(check_named(told, "emulator's boards").at("verdict"), "ok");
  EXPECT_THAT(check_named(told, "broker").at("found").get<std::string>(), HasSubstr("mosquitto version 2"));
}

TEST(Doctor, RefusesATemporaryFolderThatIsNone) {
  const json told = json::parse(run({"doctor", "--no-boot", "--json"}, {"TMPDIR=/no/such/folder"}).out);
  EXPECT_EQ(check_named(told, "temporary folder").at("verdict"), "failed");
  EXPECT_EQ(told.at("ok"), false);
}

}  // namespace
}  // namespace otasim::test
