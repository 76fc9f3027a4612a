// Scenario files: whatever stands in one, it is a whole scenario for both protocols, or an error with file
// and line.
//
// Input: the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/scenario/event_pattern.h"
#include "sim/scenario/json_text.h"
#include "sim/scenario/scenario.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim;
using otasim::testing::claim;
using scenario::JsonText;
using scenario::Scenario;
using Json = nlohmann::json;

/// Nothing can be included from there; the name is the scenario's, so that it can be a whole one.
constexpr const char* kPath = "/dev/null/case.jsonc";

/// Every value has a line of the text, and no child stands before its parent.
void check_lines(const JsonText& text, const Json& value, const Json::json_pointer& pointer, int parent,
                 int last) {
  const int line = text.line_of(pointer.to_string());
  claim(line >= parent && line <= last, "a value stands within its parent's lines, and in the text");
  if (!value.is_structured()) return;
  for (const auto& [name, inner] : value.items()) {
    if (value.is_array()) {
      check_lines(text, inner, pointer / std::stoul(name), line, last);
    } else {
      check_lines(text, inner, pointer / name, line, last);
    }
  }
}

void check_error(const Error& error) {
  claim(error.code == ExitCode::kUsage, "what is wrong with a file is its author's to put right");
  claim(error.message.starts_with('/'), "a message begins with the file, or with one that is included");
  const std::size_t line = error.message.find(':') + 1;
  claim(line != 0 && error.message.find_first_of("0123456789", line) == line, "and goes on with the line");
}

void check_pattern(const Json& pattern) {
  const auto parsed = scenario::EventPattern::parse(pattern);
  claim(parsed.has_value(), "the patterns of a loaded scenario are patterns");
  claim(!pattern.contains("only"), "and say no more where they count");
  static_cast<void>(parsed->matches({{"source", "cloud"}, {"event", "job_execution"}, {"status", "FAILED"}}));
}

void check_scenario(const Scenario& scenario) {
  claim(!scenario.devices.empty(), "there is a device");
  for (const Json& device : scenario.devices) {
    claim(scenario.images.contains(device.at("image").get<std::string>()), "with an image that there is");
  }
  for (const scenario::Step& step : scenario.steps) {
    claim(step.where.starts_with(kPath), "a step knows where it stands");
    if (step.name != "wait") continue;
    if (step.arguments.contains("for")) {
      check_pattern(step.arguments.at("for"));
      continue;
    }
    const Json& list =
        step.arguments.contains("for_all") ? step.arguments.at("for_all") : step.arguments.at("for_any");
    claim(!list.empty(), "a wait has something to wait for");
    std::ranges::for_each(list, check_pattern);
  }
  for (const char* name : {"trace", "never"}) {
    const Json list = scenario.expect.value(name, Json::array());
    std::ranges::for_each(list, check_pattern);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto text = JsonText::parse(input, kPath)) {
    const auto last = static_cast<int>(1 + std::ranges::count(input, '\n'));
    check_lines(*text, text->value(), Json::json_pointer(), 1, last);
  }
  for (const char* protocol : {"mqtt", "http"}) {
    const scenario::Cell cell{.data = protocol};
    const auto scenario = Scenario::from_text(input, kPath, cell);
    if (scenario) {
      check_scenario(*scenario);
    } else {
      check_error(scenario.error());
    }
  }
  return 0;
}
