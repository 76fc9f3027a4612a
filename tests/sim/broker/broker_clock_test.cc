// The clock that is preloaded into Mosquitto, seen by a program of its own (clock_probe.c).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/base/halt.h"
#include "sim/base/temp_dir.h"

namespace otasim {
namespace {

/// What a program that has the clock preloaded sees.
struct Seen {
  std::int64_t monotonic_ns = 0;
  std::int64_t realtime_ns = 0;
  std::int64_t time_s = 0;
  std::int64_t day_s = 0;
};

std::int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

class BrokerClockTest : public ::testing::Test {
 protected:
  /// @param halt_file  empty: the variable is not set
  Seen ask(const std::string& halt_file) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      setenv("LD_PRELOAD", OTASIM_BROKER_CLOCK, 1);
      if (!halt_file.empty()) setenv(kHaltFileVariable, halt_file.c_str(), 1);
      dup2(ends[1], STDOUT_FILENO);
      execl(OTASIM_CLOCK_PROBE, OTASIM_CLOCK_PROBE, static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ends[1]);
    Seen seen;
    EXPECT_EQ(read(ends[0], &seen, sizeof seen), static_cast<ssize_t>(sizeof seen));
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
    return seen;
  }

  TempDir folder = *TempDir::create();
};

TEST_F(BrokerClockTest, AllClocksLoseTheTimeOfHalts) {
  // A day of halts lies behind it.
  constexpr std::int64_t kDay = 86'400;
  const std::string path = folder.file("clock");
  const auto halt = Halt::shared(path);
  ASSERT_TRUE(halt);
  {
    const int file = open(path.c_str(), O_WRONLY);
    const std::int64_t halted = kDay * 1'000'000'000;
    ASSERT_EQ(write(file, &halted, sizeof halted), static_cast<ssize_t>(sizeof halted));
    close(file);
  }
  const std::int64_t monotonic = clock_ns(CLOCK_MONOTONIC);
  const std::int64_t realtime = clock_ns(CLOCK_REALTIME);
  const Seen seen = ask(path);
  constexpr std::int64_t kProcessStart = 60'000'000'000;
  EXPECT_GE(seen.monotonic_ns, monotonic - kDay * 1'000'000'000);
  EXPECT_LT(seen.monotonic_ns, monotonic - kDay * 1'000'000'000 + kProcessStart);
  EXPECT_GE(seen.realtime_ns, realtime - kDay * 1'000'000'000);
  EXPECT_LT(seen.realtime_ns, realtime - kDay * 1'000'000'000 + kProcessStart);
  EXPECT_LE(std::abs(seen.time_s - seen.realtime_ns / 1'000'000'000), 1);
  EXPECT_LE(std::abs(seen.day_s - seen.realtime_ns / 1'000'000'000), 1);
}

TEST_F(BrokerClockTest, StandsStillWhileTheTargetDoes) {
  const auto halt = Halt::shared(folder.file("clock"));
  ASSERT_TRUE(halt);
  (*halt)->begin();
  const Seen first = ask((*halt)->path());
  const Seen second = ask((*halt)->path());
  EXPECT_EQ(second.monotonic_ns, first.monotonic_ns);
  (*halt)->end();
  EXPECT_GT(ask((*halt)->path()).monotonic_ns, first.monotonic_ns);
}

TEST_F(BrokerClockTest, WithoutAUsableFileTheClocksAreTheSystems) {
  for (const std::string& path : {std::string(), folder.file("missing")}) {
    const std::int64_t before = clock_ns(CLOCK_MONOTONIC);
    const Seen seen = ask(path);
    EXPECT_GE(seen.monotonic_ns, before) << path;
    EXPECT_LE(seen.monotonic_ns, clock_ns(CLOCK_MONOTONIC)) << path;
  }
}

}  // namespace
}  // namespace otasim
