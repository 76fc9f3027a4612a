// The program: one command line, and no exception past this file.
#include <fmt/format.h>

#include <csignal>
#include <exception>

#include "sim/cli/command_line.h"

int main(int argc, char** argv) {
  using otasim::ExitCode;
  // A reader that goes away (a closed pipe, a dead broker) is an error to handle, not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return otasim::cli::run_command_line(argc, argv);
  } catch (const std::exception& error) {
    return otasim::cli::exit_with(
        {ExitCode::kInternal, fmt::format("internal error: {}", error.what()),
         "This is a bug in otasim; please report the command line and this message."});
  }
}
