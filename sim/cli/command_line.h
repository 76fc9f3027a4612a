// otasim's command line as a tree: what it can be told, with help, examples and checks. The program parses
// with it; man page, docs/commands.md and shell completion are made from it; tests walk it.
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/cli/command.h"

namespace otasim::cli {

/// Adds every command. Parsing then sets `command` to what was chosen; nothing is run.
/// @param program  otasim itself, for commands that start it again
void build_command_line(CLI::App& app, Command& command, const std::string& program);

/// Puts examples below every command's help (examples.cc).
void add_all_examples(CLI::App& app);

/// Parses and runs one command. Results go to stdout, everything said meanwhile to stderr.
/// @returns the exit code
int run_command_line(int argc, char** argv);

/// Says what failed and what to do, on stderr. @returns the exit code
int exit_with(const Error& error);

}  // namespace otasim::cli
