// Mosquitto's clock, which stands still while the device is halted by a debugger.
//
//   LD_PRELOAD=otasim_broker_clock.so OTASIM_HALT_FILE=FILE mosquitto ...
//
// Mosquitto goes by clock_gettime(CLOCK_MONOTONIC) for keep-alive and by time() for what it logs and expires;
// both lose the time that the simulator says was spent in halts (sim/base/halt_word.h). Its waits are short
// ones of the kernel, after which it looks at the clock again. Without the variable, or if the file cannot be
// mapped, all clocks are the system's.
//
// Loaded into a program that knows nothing of it: no exceptions, no library but libc, no state but the
// mapping, which is made before main() and never changes.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "sim/base/halt_word.h"

namespace {

using otasim::HaltWord;

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

const HaltWord* g_word = nullptr;

/// The system's clock, past the function below.
int system_clock(clockid_t clock, timespec* time) {
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

std::int64_t nanoseconds_of(const timespec& time) {
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

/// @param time  what `clock` has just shown: the monotonic clock is not read twice, and really stands still
std::int64_t halted_at(clockid_t clock, const timespec& time) {
  if (g_word == nullptr) return 0;
  timespec now = time;
  if (clock != CLOCK_MONOTONIC && system_clock(CLOCK_MONOTONIC, &now) != 0) return 0;
  return otasim::halted_ns(*g_word, nanoseconds_of(now));
}

bool stands_still(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return true;
    default:
      return false;  // what the process itself used
  }
}

[[gnu::constructor]] void map_word() {
  const char* const path = std::getenv(otasim::kHaltFileVariable);
  if (path == nullptr) return;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* const memory = ::mmap(nullptr, otasim::kHaltFileBytes, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (memory != MAP_FAILED) g_word = static_cast<const HaltWord*>(memory);
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = system_clock(clock, time);
  if (result != 0 || !stands_still(clock)) return result;
  const std::int64_t now = nanoseconds_of(*time) - halted_at(clock, *time);
  time->tv_sec = now / kNanosecondsPerSecond;
  time->tv_nsec = now % kNanosecondsPerSecond;
  return result;
}

[[gnu::visibility("default")]] time_t time(time_t* out) noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

[[gnu::visibility("default")]] int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}
}
