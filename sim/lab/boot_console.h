// What a bootloader's console lines tell (docs/boot.md, "Boot report").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/base/json.h"

namespace otasim::lab {

/// The version in the bootloader's line about the image it starts, empty for any other line:
/// "boot: start slot=B version=1.1.0 state=trial attempt=1 of=1 deadline-ms=60000".
[[nodiscard]] std::string started_version(std::string_view line);
/// The slot in that line: "A", "B", or "recovery", empty for any other line.
[[nodiscard]] std::string started_slot(std::string_view line);

/// A line of the boot report: its stage, and its fields as they are named; whole numbers are numbers.
struct BootLine {
  std::string stage;
  nlohmann::json fields;
};
/// The line is the device's, which may say anything: a name that the event log gives itself (`t_us`,
/// `device`, `log_version`, ...), one that is no name, or too many fields, and it is no line of the report.
/// @returns nothing for a line that is none
[[nodiscard]] std::optional<BootLine> parse_boot_line(std::string_view line);

}  // namespace otasim::lab
