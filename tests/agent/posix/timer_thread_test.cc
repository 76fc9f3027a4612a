#include "agent/posix/timer_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

namespace ota::posix {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSoon{1};
constexpr milliseconds kNever{3'600'000};

/// What the callbacks, which carry no context, report to. The self-test timer is the probe: when it has
/// fired, whatever was due before it has fired too, for both share one thread.
struct Recorder {
  std::mutex mutex;
  std::condition_variable changed;
  std::array<int, OtaNumOfTimers> fired{};
  bool is_gate_open = true;
  bool is_at_gate = false;
  TimerThread* timers = nullptr;
  std::thread::id thread{};
};
Recorder* recorder = nullptr;

void record(OtaTimerId_t id) {
  std::unique_lock lock(recorder->mutex);
  ++recorder->fired[id];
  recorder->thread = std::this_thread::get_id();
  recorder->changed.notify_all();
}

/// Keeps the timer thread until the gate is open.
void wait_at_gate(OtaTimerId_t) {
  std::unique_lock lock(recorder->mutex);
  recorder->is_at_gate = true;
  recorder->changed.notify_all();
  recorder->changed.wait(lock, [] { return recorder->is_gate_open; });
  recorder->is_at_gate = false;
}

class Timers : public testing::Test {
 protected:
  Timers() { recorder = &recorder_; }
  ~Timers() override {
    timers_.reset();
    recorder = nullptr;
  }

  void wait_for(OtaTimerId_t id, int times) {
    std::unique_lock lock(recorder_.mutex);
    recorder_.changed.wait(lock, [&] { return recorder_.fired[id] >= times; });
  }
  int fired(OtaTimerId_t id) {
    const std::lock_guard lock(recorder_.mutex);
    return recorder_.fired[id];
  }
  /// Returns when all has fired that is due now.
  void drain() {
    const int before = fired(OtaSelfTestTimer);
    ASSERT_TRUE(timers_->start(OtaSelfTestTimer, milliseconds(0), record));
    wait_for(OtaSelfTestTimer, before + 1);
  }
  /// Holds the timer thread in a callback: until open_gate() nothing fires, however long the test takes.
  void close_gate() {
    recorder_.is_gate_open = false;
    ASSERT_TRUE(timers_->start(OtaSelfTestTimer, milliseconds(0), wait_at_gate));
    std::unique_lock lock(recorder_.mutex);
    recorder_.changed.wait(lock, [&] { return recorder_.is_at_gate; });
  }
  void open_gate() {
    const std::lock_guard lock(recorder_.mutex);
    recorder_.is_gate_open = true;
    recorder_.changed.notify_all();
  }
  static void pass_time() {
    const auto until = std::chrono::steady_clock::now() + 3 * kSoon;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }

  Recorder recorder_;
  std::unique_ptr<TimerThread> timers_ = std::make_unique<TimerThread>();
};

TEST_F(Timers, FireOnceAndNotEarlyOnAThreadOfTheirOwn) {
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(timers_->start(OtaRequestTimer, milliseconds(20), record));
  wait_for(OtaRequestTimer, 1);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(20));
  pass_time();
  drain();
  EXPECT_EQ(fired(OtaRequestTimer), 1);
  EXPECT_NE(recorder_.thread, std::this_thread::get_id());
}

TEST_F(Timers, StartPutsARunningTimerOff) {
  close_gate();
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kSoon, record));
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kNever, record));
  pass_time();
  open_gate();
  drain();
  EXPECT_EQ(fired(OtaRequestTimer), 0);
}

TEST_F(Timers, StartBringsARunningTimerForward) {
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kNever, record));
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kSoon, record));
  wait_for(OtaRequestTimer, 1);
}

TEST_F(Timers, AStoppedTimerDoesNotFire) {
  close_gate();
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kSoon, record));
  pass_time();  // due, and about to fire
  ASSERT_TRUE(timers_->stop(OtaRequestTimer));
  open_gate();
  drain();
  EXPECT_EQ(fired(OtaRequestTimer), 0);
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kSoon, record)) << "stopping is not the end of a timer";
  wait_for(OtaRequestTimer, 1);
}

TEST_F(Timers, BothRunAtOnceInTheOrderTheyAreDue) {
  close_gate();
  ASSERT_TRUE(timers_->start(OtaSelfTestTimer, milliseconds(0), record));
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kSoon, record));
  pass_time();
  open_gate();
  wait_for(OtaRequestTimer, 1);
  EXPECT_EQ(fired(OtaSelfTestTimer), 1);
}

TEST_F(Timers, RefuseWhatThereIsNot) {
  EXPECT_FALSE(timers_->start(OtaNumOfTimers, kSoon, record));
  EXPECT_FALSE(timers_->start(OtaRequestTimer, kSoon, nullptr));
  EXPECT_FALSE(timers_->stop(OtaNumOfTimers));
  EXPECT_TRUE(timers_->stop(OtaRequestTimer)) << "stopping one that never ran is no error";
}

TEST_F(Timers, ACallbackMayStartItsOwnTimer) {
  recorder_.timers = timers_.get();
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kSoon, [](OtaTimerId_t id) {
    record(id);
    EXPECT_TRUE(recorder->timers->start(id, kSoon, record));
  }));
  wait_for(OtaRequestTimer, 2);
}

TEST_F(Timers, StopAndStartFromManyThreadsEndInSilence) {
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([this] {
      for (int i = 0; i < 2000; ++i) {
        EXPECT_TRUE(timers_->start(OtaRequestTimer, milliseconds(0), record));
        EXPECT_TRUE(timers_->stop(OtaRequestTimer));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  drain();  // a callback that had begun has ended now
  const int before = fired(OtaRequestTimer);
  pass_time();
  drain();
  EXPECT_EQ(fired(OtaRequestTimer), before);
}

TEST_F(Timers, EndWithTimersRunning) {
  ASSERT_TRUE(timers_->start(OtaRequestTimer, kNever, record));
  timers_.reset();
  EXPECT_EQ(fired(OtaRequestTimer), 0);
}

TEST_F(Timers, EndWaitsForACallbackAtWork) {
  static std::atomic<bool> is_ending;
  static std::atomic<bool> is_callback_over;
  is_ending = false;
  is_callback_over = false;
  ASSERT_TRUE(timers_->start(OtaRequestTimer, milliseconds(0), [](OtaTimerId_t id) {
    record(id);
    while (!is_ending) std::this_thread::yield();
    is_callback_over = true;
  }));
  wait_for(OtaRequestTimer, 1);
  is_ending = true;
  timers_.reset();
  EXPECT_TRUE(is_callback_over);
}

}  // namespace
}  // namespace ota::posix
