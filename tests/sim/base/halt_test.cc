#include "sim/base/halt.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <thread>

#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"

namespace otasim {
namespace {

using namespace std::chrono_literals;

/// Returns when the steady clock shows another time.
void let_time_pass(std::chrono::nanoseconds time = 1ms) {
  const auto until = Halt::Clock::now() + time;
  while (Halt::Clock::now() < until) std::this_thread::yield();
}

TEST(Halt, ClockStandsStillBetweenBeginAndEnd) {
  Halt halt;
  halt.begin();
  const auto now = halt.now();
  let_time_pass();
  EXPECT_EQ(halt.now(), now);
  EXPECT_TRUE(halt.is_halted());
  halt.end();
  EXPECT_FALSE(halt.is_halted());
  EXPECT_GE(halt.now(), now);
  EXPECT_GE(halt.halted(), 1ms);
}

TEST(Halt, TimeOfSeveralHaltsAddsUpAndRunningTimeDoesNotCount) {
  Halt halt;
  halt.begin();
  let_time_pass();
  halt.end();
  const auto first = halt.halted();
  let_time_pass();
  EXPECT_EQ(halt.halted(), first);
  halt.begin();
  let_time_pass();
  halt.end();
  EXPECT_GE(halt.halted(), first + 1ms);
}

TEST(Halt, SecondBeginAndSecondEndChangeNothing) {
  Halt halt;
  halt.end();
  EXPECT_EQ(halt.halted(), 0ns);
  halt.begin();
  let_time_pass();
  halt.begin();
  halt.end();
  const auto halted = halt.halted();
  EXPECT_GE(halted, 1ms);
  halt.end();
  EXPECT_EQ(halt.halted(), halted);
}

TEST(Halt, OtherProcessesReadTheSameWord) {
  auto folder = TempDir::create();
  ASSERT_TRUE(folder);
  auto halt = Halt::shared(folder->file("clock"));
  ASSERT_TRUE(halt);
  const UniqueFd file(::open((*halt)->path().c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  void* const memory = ::mmap(nullptr, kHaltFileBytes, PROT_READ, MAP_SHARED, file.get(), 0);
  ASSERT_NE(memory, MAP_FAILED);
  const auto& word = *static_cast<const HaltWord*>(memory);
  constexpr std::int64_t kAnyTime = 1'000'000'000;
  EXPECT_EQ(halted_ns(word, kAnyTime), 0);
  (*halt)->begin();
  const std::int64_t now = std::chrono::nanoseconds(Halt::Clock::now().time_since_epoch()).count();
  EXPECT_EQ(halted_ns(word, now + kAnyTime) - halted_ns(word, now), kAnyTime) << "each moment counts";
  (*halt)->end();
  EXPECT_EQ(halted_ns(word, now), (*halt)->halted().count());
  ::munmap(memory, kHaltFileBytes);
}

TEST(Halt, FileThatCannotBeMadeIsAnError) {
  const auto halt = Halt::shared("/nonexistent/clock");
  ASSERT_FALSE(halt);
  EXPECT_EQ(halt.error().code, ExitCode::kEnvironment);
}

TEST(HaltTimer, WaitsForTimeWithoutHalts) {
  boost::asio::io_context io;
  Halt halt;
  HaltTimer timer(io, &halt);
  bool is_over = false;
  halt.begin();
  timer.wait(1ms, [&] { is_over = true; });
  io.run_for(120ms);
  EXPECT_FALSE(is_over) << "the target stands still";
  halt.end();
  const auto resumed = halt.now();
  io.restart();
  io.run();
  EXPECT_TRUE(is_over);
  EXPECT_GE(halt.now(), resumed);
}

TEST(HaltTimer, WithoutAHaltItIsAnOrdinaryTimer) {
  boost::asio::io_context io;
  HaltTimer timer(io, nullptr);
  int calls = 0;
  timer.wait(0ms, [&] { ++calls; });
  io.run();
  EXPECT_EQ(calls, 1);
}

TEST(HaltTimer, CancelledAndReplacedWaitsAreToldNothing) {
  boost::asio::io_context io;
  std::string told;
  HaltTimer timer(io, nullptr);
  timer.wait(0ms, [&] { told += "first"; });
  timer.wait(0ms, [&] { told += "second"; });
  io.run();
  EXPECT_EQ(told, "second");
  timer.wait(0ms, [&] { told += "third"; });
  timer.cancel();
  io.restart();
  io.run();
  EXPECT_EQ(told, "second");
}

TEST(HaltTimer, MayBeDestroyedByItsHandler) {
  boost::asio::io_context io;
  auto timer = std::make_unique<HaltTimer>(io, nullptr);
  timer->wait(0ms, [&] { timer.reset(); });
  io.run();
  EXPECT_EQ(timer, nullptr);
}

}  // namespace
}  // namespace otasim
