#include "sim/cli/scenario_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "sim/base/file_io.h"
#include "sim/report/junit.h"

namespace otasim::cli {
namespace {

using nlohmann::json;
using report::JunitCase;

constexpr std::size_t kMaxRepeated = 20;
constexpr std::size_t kConsoleTail = 4000;

/// The last lines of the device's console, for a CI log.
std::string console_tail(const CellResult& result) {
  std::string text;
  for (const json& device : result.devices) {
    const std::string name = device.value("device", "");
    const auto bytes = read_file(fmt::format("{}/devices/{}/uart.log", result.run, name));
    if (!bytes) continue;
    const std::size_t skip = bytes->size() - std::min(bytes->size(), kConsoleTail);
    text += fmt::format("--- console of {} ---\n", name);
    text.append(bytes->begin() + static_cast<std::ptrdiff_t>(skip), bytes->end());
  }
  return text;
}

}  // namespace

json to_json(const CellResult& result) {
  return {{"scenario", result.scenario},
          {"class", result.kind},
          {"board", result.board},
          {"data", result.data},
          {"seed", result.seed},
          {"result", result.result},
          {"reason", result.failures.empty() ? "" : result.failures.front()},
          {"failures", result.failures},
          {"warnings", result.warnings},
          {"wall_ms", result.wall_ms},
          {"jobs", result.jobs},
          {"devices", result.devices},
          {"images", result.images},
          {"run", result.run},
          {"repeat", result.repeat},
          {"debug", result.debug},
          {"replay", result.replay}};
}

Result<CellResult> cell_result_from(const json& value) {
  try {
    return CellResult{.scenario = value.at("scenario"),
                      .kind = value.at("class"),
                      .board = value.at("board"),
                      .data = value.at("data"),
                      .seed = value.at("seed"),
                      .result = value.at("result"),
                      .failures = value.at("failures"),
                      .warnings = value.value("warnings", std::vector<std::string>()),
                      .wall_ms = value.at("wall_ms"),
                      .jobs = value.at("jobs"),
                      .devices = value.at("devices"),
                      .images = value.value("images", json::object()),
                      .run = value.at("run"),
                      .repeat = value.at("repeat"),
                      .debug = value.value("debug", ""),
                      .replay = value.value("replay", "")};
  } catch (const json::exception& error) {
    return fail(ExitCode::kEnvironment, fmt::format("a run's result cannot be read: {}", error.what()));
  }
}

void print_warnings(const CellResult& result) {
  for (const std::string& warning : result.warnings) fmt::print(stderr, "otasim: warning: {}\n", warning);
}

void print(const CellResult& result) {
  fmt::print("{:<6} {} ({} ms)\n", result.result, result.name(), result.wall_ms);
  print_warnings(result);
  for (const std::string& failure : result.failures) fmt::print("       {}\n", failure);
  if (!result.run.empty()) fmt::print("       run:    {}\n", result.run);
  if (result.passed()) return;
  fmt::print("       repeat: {}\n", result.repeat);
  if (!result.debug.empty()) fmt::print("       debug:  {}\n", result.debug);
  if (!result.replay.empty()) fmt::print("       replay: {}\n", result.replay);
}

std::string junit_of(const std::vector<CellResult>& results) {
  report::JunitSuite suite{.name = "otasim"};
  for (const CellResult& result : results) {
    suite.wall_ms += result.wall_ms;
    JunitCase one{.class_name = fmt::format("{}.{}", result.board, result.data),
                  .name = result.scenario,
                  .wall_ms = result.wall_ms,
                  .properties = {{"board", result.board},
                                 {"data", result.data},
                                 {"class", result.kind},
                                 {"seed", std::to_string(result.seed)},
                                 {"run", result.run},
                                 {"repeat", result.repeat}}};
    if (!result.passed()) {
      one.result = result.result == "failed" ? JunitCase::Result::kFailed : JunitCase::Result::kError;
      for (const std::string& failure : result.failures)
        one.message += (one.message.empty() ? "" : "\n") + failure;
      one.output = console_tail(result);
    }
    suite.cases.push_back(std::move(one));
  }
  return junit_xml(suite);
}

Result<void> verdict_of(const std::vector<CellResult>& results) {
  const auto failed =
      std::ranges::count_if(results, [](const CellResult& result) { return !result.passed(); });
  if (failed == 0) return {};
  std::string hint;
  std::size_t shown = 0;
  for (const CellResult& result : results) {
    if (result.passed() || shown++ >= kMaxRepeated) continue;
    hint += (hint.empty() ? "To repeat:\n  " : "\n  ") + result.repeat;
  }
  return fail(ExitCode::kFailed, fmt::format("{} of {} runs did not pass", failed, results.size()), hint);
}

}  // namespace otasim::cli
