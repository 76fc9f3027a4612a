// A command-line program under test: its output is read as it comes, on the test's io_context.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/temp_dir.h"

namespace otasim::testing {

class CommandLineClient {
 public:
  /// Starts the program; one that cannot be started fails the test.
  CommandLineClient(boost::asio::io_context& io, const std::string& program,
                    std::vector<std::string> arguments);
  CommandLineClient(const CommandLineClient&) = delete;
  CommandLineClient& operator=(const CommandLineClient&) = delete;

  /// Waits until `text` stands in the output. @returns false if the program ends before, or the limit passes
  [[nodiscard]] bool wait_for(const std::string& text);
  /// Waits for the end. @returns the exit code; nothing if a signal ended it, or it does not end
  [[nodiscard]] std::optional<int> finish();
  /// Asks the program to end (SIGTERM).
  void terminate() { child_->terminate(); }

  /// What it has written so far to stdout and stderr.
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  void read_more();

  boost::asio::io_context& io_;
  TempDir folder_ = TempDir::create().value();
  boost::asio::posix::stream_descriptor pipe_;
  std::array<char, 4096> buffer_{};
  std::string output_;
  bool at_end_ = false;
  std::optional<ChildProcess::ExitStatus> status_;
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace otasim::testing
