#include "tests/sim/cloud/command_line_client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/buffer.hpp>

#include "tests/sim/broker/device_client.h"

namespace otasim::testing {

CommandLineClient::CommandLineClient(boost::asio::io_context& io, const std::string& program,
                                     std::vector<std::string> arguments)
    : io_(io), pipe_(io) {
  const std::string path = folder_.file("output");
  EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  // The reading end first: a writer would wait for it.
  pipe_.assign(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  // A line at a time: into a pipe, programs would else write when they end.
  arguments.insert(arguments.begin(), {"-oL", program});
  auto child = ChildProcess::spawn(
      io, {.program = "stdbuf", .arguments = std::move(arguments), .stdout_path = path, .stderr_path = path});
  EXPECT_TRUE(child) << child.error().message << "\n" << child.error().hint;
  child_ = std::move(*child);
  child_->on_exit([this](ChildProcess::ExitStatus status) { status_ = status; });
  read_more();
}

void CommandLineClient::read_more() {
  pipe_.async_read_some(boost::asio::buffer(buffer_),
                        [this](const boost::system::error_code& error, std::size_t count) {
                          if (error == boost::asio::error::operation_aborted) return;  // this object is gone
                          output_.append(buffer_.data(), count);
                          if (error) {
                            at_end_ = true;
                          } else {
                            read_more();
                          }
                        });
}

bool CommandLineClient::wait_for(const std::string& text) {
  const auto there = [&] { return output_.find(text) != std::string::npos; };
  return run_until(io_, [&] { return there() || at_end_; }) && there();
}

std::optional<int> CommandLineClient::finish() {
  if (!run_until(io_, [this] { return at_end_ && status_; }) || status_->signaled) return std::nullopt;
  return status_->code;
}

}  // namespace otasim::testing
