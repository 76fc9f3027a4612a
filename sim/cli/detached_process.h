// A copy of this program that goes on in the background when the command has ended: a session of its own,
// without the terminal.
//
// In the command:   auto ready = start_detached({"up", "--detached", ...});   // waits for its first line
// In the copy:      tell_ready(line, log_path);                                // says it, and lets the
// terminal go
//
// Until it is ready, the copy's complaints go where the command's go; afterwards to a log file.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::cli {

/// Starts the copy and waits until it is ready. Ctrl-C meanwhile ends it.
/// @returns the line that it told; an error without a message if it has ended, having told why itself
[[nodiscard]] Result<std::string> start_detached(const std::vector<std::string>& arguments);

/// Prints the line, sends what is written to stderr from now on to a file, and lets go of stdout.
/// @returns kEnvironment if the file cannot be written
[[nodiscard]] Result<void> tell_ready(const std::string& line, const std::string& log_path);

}  // namespace otasim::cli
