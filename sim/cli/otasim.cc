// The program: one command line, and no exception past this file.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

#include "sim/cli/command_line.h"

namespace {

using otasim::ExitCode;

/// As a shell tells of a program that SIGPIPE has ended.
constexpr int kReaderGone = 128 + SIGPIPE;

/// Whether standard output is a pipe that nobody reads any more, as that to `head` is.
bool reader_has_gone() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

int output_lost(const std::error_code& error) {
  return otasim::cli::exit_with({ExitCode::kEnvironment,
                                 fmt::format("cannot write the output: {}", error.message()),
                                 "Make room on the disk, or write to another one."});
}

/// Writes what is still buffered: a result that nobody has got must not pass for success.
int finish_output(int code) {
  const bool was_lost = std::ferror(stdout) != 0;
  const bool is_lost = std::fflush(stdout) != 0;
  const int error = is_lost ? errno : EIO;
  if (code != 0 || !(was_lost || is_lost) || reader_has_gone()) return code;
  return output_lost({error, std::generic_category()});
}

int internal_error(const std::exception& error) {
  return otasim::cli::exit_with(
      {ExitCode::kInternal, fmt::format("internal error: {}", error.what()),
       "This is a bug in otasim; please report the command line and this message."});
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (a closed pipe, a dead broker) is an error to handle, not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return finish_output(otasim::cli::run_command_line(argc, argv));
  } catch (const std::system_error& error) {  // fmt throws it where a write fails
    const bool is_output = std::ferror(stdout) != 0 || std::ferror(stderr) != 0;
    if (!is_output) return internal_error(error);
    return reader_has_gone() ? kReaderGone : output_lost(error.code());
  } catch (const std::exception& error) {
    return internal_error(error);
  }
}
