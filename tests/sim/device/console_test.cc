#include "sim/device/console.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/write.hpp>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"

namespace otasim::device {
namespace {

using testing::ElementsAre;

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    boost::asio::local::connect_pair(device_, host_);
    log_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    console_ = Console::create(std::move(host_), log_.get(), [this](std::string_view line) {
      lines_.emplace_back(line);
      if (on_line_) on_line_();
    });
  }

  void send(std::string_view bytes) { boost::asio::write(device_, boost::asio::buffer(bytes)); }

  boost::asio::io_context io_;
  Console::Socket device_{io_};
  Console::Socket host_{io_};
  TempDir dir_ = TempDir::create().value();
  std::string path_ = dir_.file("uart.log");
  UniqueFd log_;
  std::vector<std::string> lines_;
  std::function<void()> on_line_;
  std::shared_ptr<Console> console_;
};

TEST_F(ConsoleTest, LogsRawBytesAndHandsOnPrintableLines) {
  console_->start();
  send("one\r\n\x80two\n");
  device_.close();
  io_.run();
  EXPECT_THAT(lines_, ElementsAre("one", "\\x80two"));
  const auto log = read_file(path_);
  ASSERT_TRUE(log);
  EXPECT_EQ(std::string(log->begin(), log->end()), "one\r\n\x80two\n");
}

TEST_F(ConsoleTest, DrainTakesWhatADeadDeviceLeftBehind) {
  send("complete\nunfinished");
  device_.close();
  console_->drain();
  EXPECT_THAT(lines_, ElementsAre("complete", "unfinished"));
}

TEST_F(ConsoleTest, CatchUpTakesWhatHasComeWithoutWaiting) {
  console_->start();
  send("one\ntwo\nthr");
  console_->catch_up();
  EXPECT_THAT(lines_, ElementsAre("one", "two"));
  send("ee\n");
  device_.close();
  io_.run();
  EXPECT_THAT(lines_, ElementsAre("one", "two", "three"));
}

TEST_F(ConsoleTest, ALinesHandlerMayCutThePower) {
  console_->start();
  on_line_ = [this] {
    if (!console_) return;
    device_.close();
    console_->drain();
    console_.reset();
  };
  send("first\nsecond\nthird");
  io_.run();
  EXPECT_THAT(lines_, ElementsAre("first", "second", "third"));
}

}  // namespace
}  // namespace otasim::device
