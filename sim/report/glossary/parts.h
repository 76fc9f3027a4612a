// The table's parts, each in a file of its own.
#pragma once

#include <span>

#include "sim/report/glossary/glossary.h"

namespace otasim::report {

[[nodiscard]] std::span<const Topic> agent_topics();      ///< the agent's and the PAL's codes and states
[[nodiscard]] std::span<const Topic> boot_topics();       ///< the bootloader's report
[[nodiscard]] std::span<const Topic> app_topics();        ///< what the application says on its console
[[nodiscard]] std::span<const Topic> cloud_topics();      ///< jobs, executions, refusals, ends of connections
[[nodiscard]] std::span<const Topic> simulator_topics();  ///< verdicts, invariants, exit codes

}  // namespace otasim::report
