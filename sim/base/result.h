// Errors as values, for the whole host side.
//
// An Error says what was tried, what happened and what to do about it; its code is the process's exit code
// if it reaches the command line.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace otasim {

/// Exit codes of `otasim`, as `otasim --help` documents them.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,         ///< the update or scenario failed: the device's or the cloud's doing
  kUsage = 2,          ///< the command line or an input file is wrong
  kEnvironment = 3,    ///< a tool, port, file or permission is missing, or a helper process died
  kInternal = 4,       ///< a bug in otasim
  kInterrupted = 130,  ///< Ctrl-C or SIGTERM
};

struct Error {
  ExitCode code = ExitCode::kInternal;
  std::string message;  ///< what was tried and what happened; no trailing newline
  std::string hint;     ///< what to do; may be empty or have several lines
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ExitCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

}  // namespace otasim
