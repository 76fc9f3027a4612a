// A child process that cannot outlive the simulator, cannot block it, and never goes unnoticed.
//
//   auto child = ChildProcess::spawn(io, {.program = "mosquitto", .arguments = {"-c", file}});
//   (*child)->on_exit([](ChildProcess::ExitStatus status) { ... });
//
// The kernel kills the child when the thread that started it ends (PR_SET_PDEATHSIG), so spawn() works on the
// main thread only, unless the caller knows (Spec::dies_with_thread). The child leads its own process group:
// Ctrl-C at the terminal reaches the simulator alone, which decides what to do. It inherits no descriptor but
// stdin (/dev/null), stdout, stderr and the lock of hold_with_children() (file_lock.h). Its end is seen
// through a pidfd on the io_context; there is no other waitpid() to collide with.
// Destroying the object kills the child and reaps it. The io_context must outlive the object.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim {

class ChildProcess {
 public:
  struct Spec {
    std::string program;  ///< a path, or a name looked up in PATH, then /usr/sbin and /sbin
    std::vector<std::string> arguments = {};
    std::string stdout_path = {};  ///< created or emptied; none: /dev/null
    std::string stderr_path = {};  ///< as stdout; may be the same file
    std::string working_directory = {};
    /// The child has the simulator's own stdin, stdout and stderr, and while it runs the terminal is its own:
    /// Ctrl-C reaches the child alone. Ctrl-Z stops both, and the shell's `fg` lets both go on. One at a
    /// time.
    bool has_terminal = false;
    /// NAME=VALUE: settings on top of this process's own environment.
    std::vector<std::string> environment = {};
    /// The child is of use to this thread alone, which need not be the main one.
    bool dies_with_thread = false;
  };

  struct ExitStatus {
    bool signaled;  ///< ended by a signal
    int code;       ///< exit code, or the signal's number
  };

  using ExitHandler = std::function<void(ExitStatus)>;

  /// Starts a process. Returns when the program runs (its exec() succeeded).
  ///
  /// @returns kEnvironment if the program, its folder or an output file cannot be used
  ///          kInternal if this is not the main thread, and the child was not meant to die with it
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> spawn(boost::asio::io_context& io, Spec spec);

  /// Kills the child if it runs and reaps it; the exit handler is not called.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Sets the handler, called once on the io_context after the child has ended and been reaped, also when it
  /// ended before this call. The handler may destroy this object.
  void on_exit(ExitHandler handler);

  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] bool running() const;

  /// Asks the child to end (SIGTERM); the exit handler tells when it did.
  void terminate();

  /// Waits for the child's end without running the io_context; `meanwhile` is called again and again. The
  /// exit handler is not called. @returns false if it still runs when the time is over
  [[nodiscard]] bool wait_for_end(std::chrono::milliseconds limit, const std::function<void()>& meanwhile);

  /// Kills the child (SIGKILL); the exit handler tells when it has ended.
  void terminate_now();

  /// Kills the child (SIGKILL) and waits until it is gone; the exit handler is not called.
  void kill();

 private:
  struct State;
  explicit ChildProcess(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

/// Where `program` is: itself if it holds a slash, else the first match in PATH, /usr/sbin and /sbin.
/// @returns kEnvironment if there is none; the hint names the Debian package of the tools otasim uses
[[nodiscard]] Result<std::string> find_program(const std::string& program);

}  // namespace otasim
