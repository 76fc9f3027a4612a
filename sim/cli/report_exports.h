// `otasim report capture|trace`: a run for other programs, Wireshark and Perfetto (docs/trace.md).
#pragma once

#include "sim/cli/command.h"

namespace otasim::cli {

void add_report_capture(CLI::App& report, Command& command);
void add_report_trace(CLI::App& report, Command& command);

}  // namespace otasim::cli
