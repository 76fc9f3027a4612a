#include "sim/device/external_watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace otasim::device {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// Time passes when the test says so.
class FakeTimer : public WatchdogTimer {
 public:
  void start(milliseconds time, std::function<void()> on_expiry) override {
    end_ = now_ + time;
    on_expiry_ = std::move(on_expiry);
  }
  void cancel() override { end_.reset(); }
  void pass(int ms) {
    now_ += milliseconds(ms);
    if (!end_ || now_ < *end_) return;
    end_.reset();
    on_expiry_();
  }
  [[nodiscard]] bool is_started() const { return end_.has_value(); }

 private:
  milliseconds now_{0};
  std::optional<milliseconds> end_;
  std::function<void()> on_expiry_;
};

class ExternalWatchdogTest : public testing::Test {
 protected:
  FakeTimer timer;
  int expiries = 0;
  std::string on_the_way;
  std::vector<std::string> ignored;
  ExternalWatchdog watchdog{timer,
                            {.before_expiry = [this] { watchdog.take(std::exchange(on_the_way, {})); },
                             .on_expiry = [this] { ++expiries; },
                             .on_ignored =
                                 [this](std::string_view line, std::uint64_t count) {
                                   ignored.emplace_back(line);
                                   EXPECT_EQ(count, ignored.size());
                                 }}};
};

TEST_F(ExternalWatchdogTest, ExpiresOnceIfItIsNotFed) {
  watchdog.take("start 50\n");
  timer.pass(49);
  EXPECT_EQ(expiries, 0);
  timer.pass(1);
  EXPECT_EQ(expiries, 1);
  EXPECT_FALSE(watchdog.is_running());
  timer.pass(1000);
  EXPECT_EQ(expiries, 1);
}

TEST_F(ExternalWatchdogTest, FeedingStartsItAnewWithTheSameTime) {
  watchdog.take("start 50\n");
  for (int i = 0; i < 10; ++i) {
    timer.pass(49);
    watchdog.take("feed\n");
  }
  EXPECT_EQ(expiries, 0);
  timer.pass(50);
  EXPECT_EQ(expiries, 1);
}

TEST_F(ExternalWatchdogTest, StartAgainIsAnotherTimeAndStopEndsIt) {
  watchdog.take("start 50\nstart 600000\n");
  timer.pass(599'999);
  EXPECT_EQ(expiries, 0);
  watchdog.take("stop\n");
  timer.pass(600'000);
  watchdog.take("feed\n");
  EXPECT_FALSE(watchdog.is_running()) << "what does not run is not started by feeding it";
  EXPECT_FALSE(timer.is_started());
  EXPECT_EQ(expiries, 0);
  EXPECT_THAT(ignored, IsEmpty());
}

TEST_F(ExternalWatchdogTest, DisarmingEndsItAndForgetsHalfALine) {
  watchdog.take("start 50\nsta");
  watchdog.disarm();
  timer.pass(100);
  EXPECT_EQ(expiries, 0);
  watchdog.take("start 10\n");
  timer.pass(10);
  EXPECT_EQ(expiries, 1) << "of the next boot";
  EXPECT_THAT(ignored, IsEmpty());
}

TEST_F(ExternalWatchdogTest, LinesMayComeInAnyPieces) {
  for (const char byte : std::string("start 20\nfeed\n")) watchdog.take(std::string(1, byte));
  EXPECT_TRUE(watchdog.is_running());
  EXPECT_THAT(ignored, IsEmpty());
}

TEST_F(ExternalWatchdogTest, EveryOtherLineIsIgnoredAndTold) {
  const std::vector<std::string> others = {
      "",         "start",      "start ",           "start 0",   "start 600001", "start -1",
      "start +5", "start 0x10", "start  50",        "start 50 ", " feed",        "feed\r",
      "FEED",     "stopp",      "start 4294967297", "start 1e3"};
  for (const std::string& line : others) watchdog.take(line + "\n");
  EXPECT_FALSE(watchdog.is_running());
  ASSERT_EQ(ignored.size(), others.size());
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_EQ(ignored[i], others[i].substr(0, 16));
}

TEST_F(ExternalWatchdogTest, ALongLineIsOneAndItsEndIsNoOrder) {
  watchdog.take(std::string(100'000, 'x') + "feed\n" + std::string(16, 'y') + "\n" + "start 50" +
                std::string(9, ' ') + "\n");
  EXPECT_THAT(ignored, ElementsAre(std::string(16, 'x'), std::string(16, 'y'), "start 50        "));
  EXPECT_FALSE(watchdog.is_running());
}

TEST_F(ExternalWatchdogTest, AFeedThatHasComeButWasNotTakenYetCounts) {
  watchdog.take("start 50\n");
  on_the_way = "feed\n";
  timer.pass(50);
  EXPECT_EQ(expiries, 0);
  timer.pass(50);
  EXPECT_EQ(expiries, 1);
  watchdog.take("start 50\n");
  on_the_way = "stop\n";
  timer.pass(50);
  EXPECT_EQ(expiries, 1);
  watchdog.take("start 50\n");
  on_the_way = "fee";
  timer.pass(50);
  EXPECT_EQ(expiries, 2) << "half a line feeds nobody";
}

TEST_F(ExternalWatchdogTest, NoiseNeverStartsIt) {
  std::mt19937 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const char byte = random() % 4 == 0 ? '\n' : "startfedop 0123\r\x80"[random() % 18];
    if (byte == 't' && random() % 2 == 0) continue;
    watchdog.take(std::string(1, byte == 's' ? 'S' : byte));
    if (watchdog.is_running()) FAIL() << "started by noise without an s";
  }
  EXPECT_FALSE(ignored.empty());
  EXPECT_EQ(expiries, 0);
}

TEST(SteadyWatchdogTimer, ExpiresOnceAfterItsTimeAndNotAfterACancel) {
  boost::asio::io_context io;
  SteadyWatchdogTimer timer(io);
  int expiries = 0;
  const auto before = std::chrono::steady_clock::now();
  timer.start(milliseconds(1), [&] { expiries += 100; });
  timer.start(milliseconds(20), [&] { ++expiries; });
  io.run();
  EXPECT_EQ(expiries, 1) << "the first was replaced";
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(20));
  timer.start(milliseconds(1), [&] { ++expiries; });
  timer.cancel();
  io.restart();
  io.run();
  EXPECT_EQ(expiries, 1);
}

TEST(SteadyWatchdogTimer, MayGoWhileItsExpiryIsOnItsWay) {
  boost::asio::io_context io;
  std::vector<std::unique_ptr<SteadyWatchdogTimer>> timers;
  int expiries = 0;
  // Both are due before the loop runs; the first that is told of destroys the other one.
  for (int i = 0; i < 2; ++i) {
    timers.push_back(std::make_unique<SteadyWatchdogTimer>(io));
    timers.back()->start(milliseconds(0), [&, i] {
      ++expiries;
      timers[static_cast<std::size_t>(1 - i)].reset();
    });
  }
  io.run();
  EXPECT_EQ(expiries, 1);
}

}  // namespace
}  // namespace otasim::device
