// Where a debugger is to get the device: `--at` of `otasim debug`, and `otasim until` in GDB.
//
//   boot.verify                              an event of docs/events.md, by source and name
//   cloud.job_execution:SUCCEEDED            one of whose members one has this value
//   boot.verify:slot=B                       in which this member has this value
//   {"event": "boot.verify", "slot": "B"}    a pattern, as scenarios have them
//   op:17                                    before the device's 17th operation on its flash
//   line:TEXT                                a line of its console that holds TEXT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/scenario/event_pattern.h"

namespace otasim::debug {

class StopPlace {
 public:
  /// @returns kUsage if it is none of these
  [[nodiscard]] static Result<StopPlace> parse(const std::string& text);

  /// Whether it is that event, of this device or of none in particular.
  [[nodiscard]] bool matches(const nlohmann::json& event, const std::string& device) const;
  /// The operation's number, from 1; nothing: it is an event.
  [[nodiscard]] std::optional<std::uint64_t> operation() const { return operation_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  explicit StopPlace(std::string text) : text_(std::move(text)) {}

  std::string text_;
  std::optional<std::uint64_t> operation_;
  std::optional<scenario::EventPattern> pattern_;
  std::string any_value_;  ///< that one of the event's members has; empty: whatever they have
};

}  // namespace otasim::debug
