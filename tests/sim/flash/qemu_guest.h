// A QEMU child whose guest talks on the first UART, for tests. No QEMU outlives its object.
#pragma once

#include <string>
#include <vector>

namespace qemu_guest {

class Guest {
 public:
  /// Starts qemu-system-arm with `arguments` and the UART on a pipe; stderr goes to the same pipe.
  explicit Guest(const std::vector<std::string>& arguments);
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  /// Kills the child if it still runs.
  ~Guest();

  /// Reads until the output contains `text`, the child closes its end, or `timeout_ms` passed.
  /// @returns true if it contains `text`
  [[nodiscard]] bool wait_for(const std::string& text, int timeout_ms);

  /// Waits for the child to end by itself. @returns its exit code, or -1 on a signal or after `timeout_ms`
  [[nodiscard]] int wait_for_exit(int timeout_ms);

  [[nodiscard]] const std::string& output() const { return output_; }
  void forget_output() { output_.clear(); }

  /// Reads what there is, waiting for it. @returns false if nothing came in `timeout_ms`, or the child is
  /// gone
  bool read_some(int timeout_ms);
  /// The pipe, readable when there is output.
  [[nodiscard]] int descriptor() const { return pipe_; }

 private:
  void reap();

  int child_ = -1;
  int pipe_ = -1;
  int status_ = -1;
  std::string output_;
};

}  // namespace qemu_guest
