// Runs the otasim program as a user's shell would, and keeps what it wrote.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace otasim::test {

struct Outcome {
  int code = -1;  ///< exit code, or 128 + the signal's number
  std::string out;
  std::string err;
};

/// One run of the program. The destructor kills it if it still runs.
class Program {
 public:
  /// @param environment  NAME=VALUE settings on top of this process's own
  explicit Program(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment = {}, const std::string& folder = ".");
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads stderr until `text` has appeared in it. @returns false if the program ended before, or the test's
  /// own limit passed
  [[nodiscard]] bool wait_for(const std::string& text);
  /// The same of stdout, for `text` `times` over.
  [[nodiscard]] bool wait_for_output(const std::string& text, int times = 1);
  /// What it has written to stdout so far.
  [[nodiscard]] const std::string& output() const { return outcome_.out; }
  /// The pid of the program's child whose executable is called `name`, 0 if there is none.
  [[nodiscard]] pid_t child(const std::string& name) const;
  [[nodiscard]] std::vector<pid_t> children() const;
  /// stdout's pipe, to be waited for beside other things; -1 at its end.
  [[nodiscard]] int output_descriptor() const { return out_; }
  /// Throws if the program has ended.
  void send(int signal) const;
  /// Kills the child whose executable is called `name`; throws if there is none.
  void kill_child(const std::string& name) const;
  /// Waits for the end.
  [[nodiscard]] Outcome finish();

 private:
  bool read_some();

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  Outcome outcome_;
};

[[nodiscard]] Outcome run(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment = {}, const std::string& folder = ".");

}  // namespace otasim::test
