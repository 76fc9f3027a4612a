// Captures that people can read: a run with --keylog, and Wireshark's own dissectors (tshark) on what it
// left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// What a command of the shell writes to stdout; it must succeed.
std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("no shell");
  std::string output;
  std::array<char, 4096> piece{};
  for (std::size_t count = 0; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
    output.append(piece.data(), count);
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command;
  return output;
}

class KeyLogTest : public ::testing::Test {
 protected:
  Outcome otasim(std::vector<std::string> arguments) {
    return run(arguments, {"TMPDIR=" + folder.file("tmp")});
  }
  KeyLogTest() { fs::create_directory(folder.file("tmp")); }
  [[nodiscard]] std::string run_folder() const { return folder.file("run"); }
  Outcome play(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "run",     "OTAE2EGreaterVersion", "--board", "mps2-an385", "--data", "http",
        "--quiet", "--no-report",          "--out",   run_folder()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return otasim(arguments);
  }

  TempDir folder = TempDir::create().value();
};

TEST_F(KeyLogTest, TheDemoLogsThemToo) {
  const Outcome played = otasim({"demo", "--keylog", "--quiet", "--out", run_folder()});
  ASSERT_EQ(played.code, 0) << played.err;
  std::ifstream keys(run_folder() + "/tls.keys");
  std::string line;
  ASSERT_TRUE(std::getline(keys, line));
  EXPECT_THAT(line, testing::StartsWith("CLIENT_RANDOM ")) << "the device speaks TLS 1.2";
}

TEST_F(KeyLogTest, WiresharkReadsTopicsAndRequestsOfARun) {
  const Outcome played = play({"--keylog"});
  ASSERT_EQ(played.code, 0) << played.err;
  EXPECT_THAT(played.err, HasSubstr(run_folder() + "/tls.keys"));
  struct stat info {};
  ASSERT_EQ(stat((run_folder() + "/tls.keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);

  const Outcome captured = otasim({"report", "capture", run_folder(), "--out", folder.file("run.pcapng")});
  ASSERT_EQ(captured.code, 0) << captured.err;
  // The hint is a command: what it says is what is done here.
  constexpr std::string_view kHint = "wireshark ";
  const std::size_t begin = captured.err.find(kHint);
  ASSERT_NE(begin, std::string::npos) << captured.err;
  const std::size_t end = captured.err.find(' ' + folder.file("run.pcapng"), begin);
  ASSERT_NE(end, std::string::npos) << captured.err;
  const std::string options = captured.err.substr(begin + kHint.size(), end - begin - kHint.size());

  const std::string read = "tshark -r " + folder.file("run.pcapng") + " 2>/dev/null " + options;
  const std::string mqtt = output_of(read + " -Y mqtt.topic -T fields -e frame.interface_name -e mqtt.topic");
  EXPECT_THAT(mqtt, AllOf(HasSubstr("thing-1\t$aws/things/thing-1/jobs/$next/get\n"),
                          HasSubstr("$aws/things/thing-1/jobs/AFR_OTA-u1/update")));
  const std::string http = output_of(read + " -Y http.request -T fields -e http.request.full_uri");
  EXPECT_THAT(http, AllOf(HasSubstr("X-Amz-Signature="), HasSubstr("/otasim/u1.img?")));
  const std::string comments = output_of(read + " -Y frame.comment -T fields -e frame.comment");
  EXPECT_THAT(comments, AllOf(HasSubstr("power on"), HasSubstr("job AFR_OTA-u1 is SUCCEEDED")));
}

TEST_F(KeyLogTest, SecretsAreLoggedOnRequestOnly) {
  const Outcome played = play({});
  ASSERT_EQ(played.code, 0) << played.err;
  EXPECT_FALSE(fs::exists(run_folder() + "/tls.keys"));
  const Outcome captured = otasim({"report", "capture", run_folder()});
  ASSERT_EQ(captured.code, 0) << captured.err;
  EXPECT_THAT(captured.err, HasSubstr("logged no TLS secrets"));
  EXPECT_THAT(output_of("tshark -r " + run_folder() + "/capture.pcapng 2>/dev/null -Y http.request"),
              Not(HasSubstr("GET")));
}

/// Of a real run: the way of an update is drawn from the job to the commit.
TEST_F(KeyLogTest, ARunLeavesATrace) {
  const Outcome played = play({});
  ASSERT_EQ(played.code, 0) << played.err;
  std::ifstream file(run_folder() + "/trace.json");
  const json trace = json::parse(file, nullptr, false);
  ASSERT_TRUE(trace.is_object());
  std::string phases;
  for (const json& event : trace["traceEvents"]) {
    if (event.contains("id")) phases += event["ph"].get<std::string>();
  }
  EXPECT_EQ(phases, "stttf");
  EXPECT_EQ(trace["otherData"]["scenario"], "OTAE2EGreaterVersion");
}

}  // namespace
}  // namespace otasim::test
