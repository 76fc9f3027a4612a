/* Says what the clocks show, in the order of `Seen` (broker_clock_test.cc). Without any run-time library of a
 * sanitizer, which would not start behind a preloaded one. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock) {
  struct timespec time = {0};
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void) {
  struct timeval day = {0};
  gettimeofday(&day, NULL);
  const int64_t seen[] = {clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME), time(NULL), day.tv_sec};
  return write(STDOUT_FILENO, seen, sizeof seen) == (ssize_t)sizeof seen ? 0 : 1;
}
