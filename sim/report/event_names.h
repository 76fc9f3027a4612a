// The events there are: what docs/events.md lists, so that a misspelt name in a scenario is found.
#pragma once

#include <span>
#include <string_view>

namespace otasim::report {

/// "cloud.job_execution" and so on.
[[nodiscard]] std::span<const std::string_view> event_names();

}  // namespace otasim::report
