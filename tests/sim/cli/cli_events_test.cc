// `otasim events` on what a run of a real device has left, and beside one that is under way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <sstream>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/report/event_log.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> events;
  for (const std::string& line : lines_of(text)) events.push_back(json::parse(line));
  return events;
}

class CliEvents : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir(TempDir::create().value());
    const Outcome run = test::run({"run", "OTAE2EGreaterVersion", "--data", "mqtt", "--quiet", "--no-report",
                                   "--out", folder_->file("run")});
    ASSERT_EQ(run.code, 0) << run.out << run.err;
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string run_folder() { return folder_->file("run"); }

  static TempDir* folder_;
};
TempDir* CliEvents::folder_ = nullptr;

TEST_F(CliEvents, TellAllThatHappenedInOrder) {
  const Outcome outcome = test::run({"events", run_folder(), "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, IsEmpty());
  const auto events = json_lines(outcome.out);
  std::set<std::string> names;
  for (const json& event : events)
    names.insert(event.at("source").get<std::string>() + '.' + event.at("event").get<std::string>());
  EXPECT_THAT(names,
              IsSupersetOf({"device.power_on", "boot.start", "uart.line", "flash.operation", "link.frame",
                            "cloud.mqtt_request", "cloud.mqtt_answer", "cloud.job_execution"}));
  EXPECT_TRUE(std::ranges::is_sorted(events, {},
                                     [](const json& event) { return event.at("t_us").get<std::int64_t>(); }));
  // What was told of the update is the same whichever file told it: slot B is programmed by the agent before
  // the job has succeeded.
  const auto at = [&](auto wanted) { return std::ranges::find_if(events, wanted) - events.begin(); };
  const auto programmed = at([](const json& e) {
    return e["event"] == "operation" && e["partition"] == "slot-b" && e["writer"] == "agent" &&
           e["kind"] == "program";
  });
  const auto succeeded =
      at([](const json& e) { return e["event"] == "job_execution" && e["status"] == "SUCCEEDED"; });
  EXPECT_LT(programmed, succeeded);
  EXPECT_LT(succeeded, std::ssize(events));
}

TEST_F(CliEvents, AnswersFollowTheirRequestsWithPayload) {
  const Outcome outcome = test::run({"events", run_folder(), "--json", "--source", "cloud"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto events = json_lines(outcome.out);
  const auto request = std::ranges::find_if(events, [](const json& e) {
    return e["event"] == "mqtt_request" && e["topic"].get<std::string>().ends_with("/get");
  });
  ASSERT_NE(request, events.end());
  ASSERT_NE(request + 1, events.end());
  const json& answer = *(request + 1);
  EXPECT_EQ(answer["event"], "mqtt_answer");
  EXPECT_EQ(answer["topic"], (*request)["topic"].get<std::string>() + "/accepted");
  EXPECT_EQ(answer["client"], (*request)["client"]);
  EXPECT_TRUE(answer.contains("payload")) << answer;
}

TEST_F(CliEvents, ForPeopleAreALineEach) {
  const Outcome all = test::run({"events", run_folder()});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_THAT(lines_of(all.out), Each(MatchesRegex(" *[0-9]+\\.[0-9]{6}  [a-z]+ +[^ ]+ +.*")));
  EXPECT_THAT(lines_of(all.out), Contains(HasSubstr("in slot-b, by agent: ok")));
}

TEST_F(CliEvents, CanBeThoseOfASourceAndADevice) {
  const Outcome boot =
      test::run({"events", run_folder(), "--source", "boot,flash", "--device", "thing-1", "--json"});
  std::set<std::string> sources;
  for (const json& event : json_lines(boot.out)) {
    sources.insert(event.at("source"));
    EXPECT_EQ(event.at("device"), "thing-1");
  }
  EXPECT_EQ(sources, (std::set<std::string>{"boot", "flash"}));
  EXPECT_THAT(test::run({"events", run_folder(), "--device", "nobody"}).out, IsEmpty());
  EXPECT_EQ(test::run({"events", run_folder(), "--source", "clouds"}).code, 2);
}

TEST_F(CliEvents, FollowARunUntilItsResultIsThere) {
  const std::string run = folder_->file("under-way");
  fs::create_directories(run);
  auto log = report::EventLog::create(run + "/events.jsonl").value();
  log->emit("run", "step", {{"text", "first"}});
  Program follower({"events", run, "--follow"});
  ASSERT_TRUE(follower.wait_for_output("first"));
  log->emit("run", "step", {{"text", "second"}});
  ASSERT_TRUE(follower.wait_for_output("second"));
  // A device comes later, with what a real one has written.
  fs::create_directories(run + "/devices/thing-1");
  fs::copy_file(run_folder() + "/devices/thing-1/flash.ops", run + "/devices/thing-1/flash.ops");
  ASSERT_TRUE(follower.wait_for_output("in slot-b, by agent: ok"));
  log->emit("run", "step", {{"text", "last"}});
  ASSERT_TRUE(write_file_atomic(run + "/result.json", std::string_view("{}")).has_value());
  const Outcome outcome = follower.finish();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("last"));
}

TEST_F(CliEvents, FollowALabThatIsStartedAnew) {
  const std::string lab = folder_->file("lab");
  fs::create_directories(lab);
  auto log = report::EventLog::create(lab + "/events.jsonl").value();
  log->emit("lab", "ports", {{"text", "first"}});
  Program follower({"events", lab, "--follow"});
  ASSERT_TRUE(follower.wait_for_output("first"));
  // As `otasim up` does: what was written last is still shown.
  fs::rename(lab + "/events.jsonl", lab + "/events.1.jsonl");
  log->emit("lab", "ports", {{"text", "last of the old"}});
  log = report::EventLog::create(lab + "/events.jsonl").value();
  log->emit("lab", "ports", {{"text", "of the new"}});
  ASSERT_TRUE(follower.wait_for_output("of the new"));
  ASSERT_TRUE(write_file_atomic(lab + "/result.json", std::string_view("{}")).has_value());
  const Outcome outcome = follower.finish();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_LT(outcome.out.find("last of the old"), outcome.out.find("of the new"));
  EXPECT_THAT(outcome.err, HasSubstr("the lab was started anew; its new log follows"));
}

TEST_F(CliEvents, OpenMakesAReportAnewWhenTheRunHasGoneOn) {
  const std::string run = folder_->file("opened");
  fs::create_directories(run);
  auto log = report::EventLog::create(run + "/events.jsonl").value();
  log->emit("run", "step", {{"text", "the first"}});
  const auto open = [&] { return test::run({"report", "open", run}, {"DISPLAY=", "WAYLAND_DISPLAY="}); };
  const auto page = [&] {
    const auto bytes = read_file(run + "/report.html");
    return std::string(bytes->begin(), bytes->end());
  };
  ASSERT_EQ(open().code, 0);
  EXPECT_THAT(page(), HasSubstr("the first"));
  const auto made = fs::last_write_time(run + "/report.html");
  ASSERT_EQ(open().code, 0);
  EXPECT_EQ(fs::last_write_time(run + "/report.html"), made) << "nothing is new";
  log->emit("run", "step", {{"text", "the second"}});
  fs::last_write_time(run + "/events.jsonl", made + std::chrono::seconds(1));
  ASSERT_EQ(open().code, 0);
  EXPECT_THAT(page(), HasSubstr("the second"));
}

TEST_F(CliEvents, WithoutALogSayWhatIsMissing) {
  const Outcome outcome = test::run({"events", folder_->path().string()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("events.jsonl"));
}

}  // namespace
}  // namespace otasim::test
