// Recordings as a user gets them: what a run leaves, what `otasim record` writes, and that asciinema plays
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/base/child_process.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uintmax_t kMostBytes = 300 * 1024;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Cast {
  json header;
  std::vector<std::string> markers;
  double length_s = 0;
};

Cast read_cast(const fs::path& path) {
  Cast cast;
  std::istringstream in(content(path));
  for (std::string line; std::getline(in, line);) {
    json value = json::parse(line);
    if (value.is_object()) {
      cast.header = std::move(value);
      continue;
    }
    EXPECT_GE(value[0].get<double>(), cast.length_s);
    cast.length_s = value[0].get<double>();
    if (value[1] == "m") cast.markers.push_back(value[2].get<std::string>());
  }
  return cast;
}

/// What asciinema writes to a terminal, which script(1) gives it.
std::string played(const std::string& cast, const std::string& out) {
  boost::asio::io_context io;
  auto child = ChildProcess::spawn(io, {.program = "script",
                                        .arguments = {"-qec", "asciinema cat '" + cast + "'", "/dev/null"},
                                        .stdout_path = out});
  if (!child) return child.error().message;
  int code = -1;
  (*child)->on_exit([&](ChildProcess::ExitStatus status) { code = status.code; });
  io.run();
  EXPECT_EQ(code, 0);
  return content(out);
}

/// One run of an update, which the tests record.
class Record : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir(TempDir::create().value());
    run_ = folder_->file("run");
    const Outcome outcome =
        test::run({"run", "OTAE2EGreaterVersion", "--data", "mqtt", "--quiet", "--out", run_});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  static void TearDownTestSuite() { delete folder_; }

  [[nodiscard]] static std::string file(const std::string& name) { return folder_->file(name); }

  static inline TempDir* folder_ = nullptr;
  static inline std::string run_;
};

TEST_F(Record, ARunLeavesACastThatAsciinemaPlays) {
  const std::string path = run_ + "/demo.cast";
  const Cast cast = read_cast(path);
  EXPECT_EQ(cast.header.at("title"), "A newer image is received, tried, accepted and committed");
  for (const char* marker : {"power on", "update u1", "AFR_OTA-u1 SUCCEEDED", "slot B committed", "passed"})
    EXPECT_THAT(cast.markers, Contains(marker));
  EXPECT_LT(fs::file_size(path), kMostBytes);
  const std::string seen = played(path, file("played.txt"));
  EXPECT_THAT(seen, StartsWith("\x1b[0m\x1b[2J\x1b[?25l"));
  EXPECT_THAT(seen, HasSubstr("PASSED"));
  EXPECT_THAT(seen, HasSubstr("SUCCEEDED: accepted  v0.9.1"));
}

TEST_F(Record, ARunIsRecordedAgainAtAnotherSpeed) {
  const Outcome outcome = test::run({"record", "--run", run_, "--speed", "2", "--out", file("fast.cast")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, file("fast.cast") + "\n");
  EXPECT_THAT(outcome.err, HasSubstr("asciinema play"));
  const Cast normal = read_cast(run_ + "/demo.cast");
  const Cast fast = read_cast(file("fast.cast"));
  EXPECT_EQ(fast.header.at("title"), normal.header.at("title"));
  EXPECT_EQ(fast.markers, normal.markers);
  constexpr double kHold = 3;  // of the last picture
  EXPECT_NEAR(fast.length_s - kHold, (normal.length_s - kHold) / 2, 0.3);
}

TEST_F(Record, WritesSvgAndGifReady) {
  Outcome outcome =
      test::run({"record", "--run", run_, "--width", "80", "--height", "24", "--out", file("x.svg")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(content(file("x.svg")),
              StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 660 428\""));
  outcome = test::run({"record", "--run", run_, "--out", file("gif-ready")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, file("gif-ready.cast") + "\n");
  EXPECT_THAT(outcome.err, HasSubstr("agg "));
  EXPECT_TRUE(read_cast(file("gif-ready.cast")).markers.empty());
}

TEST_F(Record, PlaysTheDemo) {
  const Outcome outcome = test::run({"record", "demo", "--out", file("demo.cast")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("boot: reset")) << "progress for a person";
  const Cast cast = read_cast(file("demo.cast"));
  EXPECT_EQ(cast.header.at("title"), "A device updates itself over the air, from power-on to SUCCEEDED");
  EXPECT_THAT(cast.markers, Contains("1.1.0 on trial"));
  EXPECT_THAT(cast.markers, Contains("passed"));
}

TEST_F(Record, TheDemoLeavesACast) {
  const Outcome outcome = test::run({"demo", "--quiet", "--out", file("demo")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(read_cast(file("demo/demo.cast")).markers, Contains("passed"));
}

TEST_F(Record, NoCastLeavesNone) {
  const Outcome outcome = test::run(
      {"run", "OTAE2EGreaterVersion", "--data", "http", "--quiet", "--no-cast", "--out", file("without")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(fs::exists(file("without/demo.cast")));
  EXPECT_TRUE(fs::exists(file("without/report.html")));
}

TEST_F(Record, AFolderThatIsNotThereIsSaidBeforeTheScenarioIsPlayed) {
  const Outcome outcome = test::run({"record", "demo", "--out", file("none/demo.cast")});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("--out " + file("none/demo.cast") + ": no file can be written there"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("boot:")));
}

TEST_F(Record, TheFolderOfARunThatFailedStaysAndIsNamed) {
  std::ofstream(file("case.jsonc"))
      << R"({"name": "case", "title": "A case", "images": {"factory": {"version": "1.0.0"}},)"
      << R"("devices": [{"name": "thing-1", "image": "factory"}],)"
      << R"("steps": [{"wait": {"for": {"event": "boot.halt"}, "limit_s": 1}}],)"
      << R"("expect": {"devices": [{"image": "factory"}], "refused_by": []}})";
  const std::string tmp = file("tmp");
  fs::create_directory(tmp);
  const Outcome failed =
      test::run({"record", file("case.jsonc"), "--quiet", "--out", file("case.cast")}, {"TMPDIR=" + tmp});
  EXPECT_EQ(failed.code, 1) << failed.err;
  EXPECT_TRUE(fs::exists(file("case.cast")));
  const std::string label = "the run's folder is ";
  const std::size_t at = failed.err.find(label);
  ASSERT_NE(at, std::string::npos) << failed.err;
  const std::string run = failed.err.substr(at + label.size(), failed.err.find('\n', at) - at - label.size());
  EXPECT_THAT(run, StartsWith(tmp));
  EXPECT_TRUE(fs::exists(run + "/events.jsonl"));
  fs::remove_all(tmp);
  fs::create_directory(tmp);
  EXPECT_EQ(test::run({"record", "demo", "--quiet", "--out", file("again.cast")}, {"TMPDIR=" + tmp}).code, 0);
  EXPECT_TRUE(fs::is_empty(tmp)) << "that of one that passed does not";
}

TEST_F(Record, ANameOfAnotherKindIsRefusedBeforeAnythingIsPlayed) {
  const Outcome outcome = test::run({"record", "demo", "--out", file("demo.gif")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("For a GIF record gif-ready"));
  EXPECT_FALSE(fs::exists(file("demo.gif")));
}

TEST_F(Record, AsksForSomethingToRecord) {
  EXPECT_EQ(test::run({"record"}).code, 2);
  EXPECT_EQ(test::run({"record", "demo", "--run", run_}).code, 2);
  EXPECT_EQ(test::run({"record", "--run", run_, "--width", "20"}).code, 2);
  const Outcome outcome = test::run({"record", "NoSuchScenario"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("NoSuchScenario"));
}

}  // namespace
}  // namespace otasim::test
