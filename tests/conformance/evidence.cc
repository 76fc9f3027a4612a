#include "tests/conformance/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/json_members.h"

namespace otasim::testing {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 2> kJobsWords{"get", "start-next"};

std::vector<std::string> levels_of(const std::string& topic) {
  std::vector<std::string> levels;
  std::istringstream text(topic);
  for (std::string level; std::getline(text, level, '/');) levels.push_back(level);
  return levels;
}

std::string path_of(const std::string& program) {
  return std::string(OTASIM_CONFORMANCE_FOLDER) + "/" + program + ".json";
}

/// Writes when the program is over.
class Writer final : public ::testing::Environment {
 public:
  void SetUp() override { Evidence::remove(name()); }
  void TearDown() override {
    const auto& run = *::testing::UnitTest::GetInstance();
    if (run.Passed() && run.test_to_run_count() == run.total_test_count()) evidence().write(name());
  }

 private:
  static std::string name() { return std::filesystem::read_symlink("/proc/self/exe").filename(); }
};

[[maybe_unused]] const auto* const kWriter = ::testing::AddGlobalTestEnvironment(new Writer);

}  // namespace

std::string topic_template(const std::string& topic) {
  auto levels = levels_of(topic);
  const auto is = [&levels](std::size_t level, std::string_view text) {
    return level < levels.size() && levels[level] == text;
  };
  if (is(1, "things")) {
    levels[2] = "{thing}";
    const bool names_job = is(3, "jobs") && levels.size() > 5 && !is(4, "$next") &&
                           std::ranges::find(kJobsWords, levels[4]) == kJobsWords.end();
    if (names_job) levels[4] = "{job}";
    if (is(3, "streams")) levels[4] = "{stream}";
  } else if (is(1, "events")) {
    levels[is(2, "presence") ? 4 : 3] = is(2, "presence") ? "{client}" : "{job}";
  }
  std::string text;
  for (const std::string& level : levels) text += (text.empty() ? "" : "/") + level;
  return text;
}

void Evidence::watch(report::EventLog& log) {
  log.listen([this](const json& event) { take(event); });
}

void Evidence::read(const std::string& events_path) {
  std::ifstream events(events_path);
  for (std::string line; std::getline(events, line);) {
    const json event = json::parse(line, nullptr, /*allow_exceptions=*/false);
    // Its devices are our own: what they ask on topics is no evidence.
    if (event.is_object() && text_member(event, "event") == "api_request") take(event);
  }
}

void Evidence::topic(const std::string& topic) {
  topics_.insert(topic_template(topic));
}

void Evidence::take(const json& event) {
  const auto name = text_member(event, "event");
  if (name == "api_request") {
    const std::int64_t status = integer_member(event, "status").value_or(0);
    if (status < 200 || status >= 300) return;
    operations_.insert(text_member(event, "service").value_or("") + " " +
                       text_member(event, "operation").value_or(""));
  } else if (name == "mqtt_request" && text_member(event, "result") == "accepted") {
    topic(text_member(event, "topic").value_or(""));
  }
}

void Evidence::write(const std::string& program) const {
  std::filesystem::create_directories(OTASIM_CONFORMANCE_FOLDER);
  std::ofstream file(path_of(program));
  file << json{{"test", program}, {"operations", operations_}, {"topics", topics_}}.dump(1) << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path_of(program));
}

void Evidence::remove(const std::string& program) {
  std::filesystem::remove(path_of(program));
}

Evidence& evidence() {
  static Evidence made;
  return made;
}

}  // namespace otasim::testing
