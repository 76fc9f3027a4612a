// A pattern of events: what a scenario waits for, what must happen in which order, what must never happen.
//
//   {"event": "cloud.job_execution", "job": "AFR_OTA-u1", "status": "IN_PROGRESS"}
//   {"event": "uart.line", "device": "thing-1", "text": {"contains": "self test passed"}}
//
// `event` is source and event of docs/events.md. Every further member must be in the event and match: a plain
// value by being equal, an object member by member, and an object of these operators if all of them hold:
//
//   {"contains": TEXT}   {"matches": REGEX}   {"any_of": [VALUE...]}   {"not": VALUE}
//   {"at_least": N}      {"at_most": N}       {"exists": true|false}
//
// `matches` is ECMAScript without back references, for the whole text, 512 characters at most. `exists:
// false` is the only one that holds for a member that is missing: `not` asks for another value, but for a
// value.
#pragma once

#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/json_text.h"

namespace otasim::scenario {

class EventPattern {
 public:
  /// @returns kUsage if it has no `event`, or an operator is used wrongly
  [[nodiscard]] static Result<EventPattern> parse(const nlohmann::json& pattern);

  /// What begins or ends a fault: a stage of the boot is one that the bootloader here reports.
  /// @returns kUsage as parse() does, and for a stage that is not
  [[nodiscard]] static Result<EventPattern> parse_trigger(const nlohmann::json& pattern);

  [[nodiscard]] bool matches(const nlohmann::json& event) const;
  /// For people, on one line.
  [[nodiscard]] std::string text() const { return pattern_.dump(); }
  [[nodiscard]] const nlohmann::json& value() const { return pattern_; }

 private:
  explicit EventPattern(nlohmann::json pattern) : pattern_(std::move(pattern)) {}

  nlohmann::json pattern_;
};

/// Whether `value` is what `wanted` asks for: a plain value, or an operator as above.
[[nodiscard]] bool value_matches(const nlohmann::json& value, const nlohmann::json& wanted);
/// What is wrong with it as something wanted; empty: nothing.
[[nodiscard]] std::string problem_with(const nlohmann::json& wanted);

}  // namespace otasim::scenario
