// A fault as a command line has it: JSON, or NAME,MEMBER=VALUE,...
//
//   link.loss,probability=0.03,direction=to_device
//   {"link.loss": {"probability": 0.03, "when": {"event": "cloud.job_created"}}}
#pragma once

#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::scenario {

/// @returns kUsage, saying what is wrong and what would be right
[[nodiscard]] Result<nlohmann::json> parse_fault(const std::string& text);

}  // namespace otasim::scenario
