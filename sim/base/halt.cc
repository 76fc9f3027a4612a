#include "sim/base/halt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sim/base/unique_fd.h"

namespace otasim {
namespace {

/// How often a timer that is due looks whether the target runs again.
constexpr std::chrono::milliseconds kLookAgain{50};

// steady_clock is CLOCK_MONOTONIC with libstdc++, as every process sees it.
std::int64_t monotonic_ns() {
  return std::chrono::nanoseconds(Halt::Clock::now().time_since_epoch()).count();
}

}  // namespace

Halt::Halt() : own_(std::make_unique<HaltWord>(0)), word_(own_.get()) {}

Result<std::unique_ptr<Halt>> Halt::shared(const std::string& path) {
  const auto failed = [&path] {
    return fail(ExitCode::kEnvironment, fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  };
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file || ::ftruncate(file.get(), kHaltFileBytes) != 0) return failed();
  void* const memory = ::mmap(nullptr, kHaltFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return failed();
  return std::unique_ptr<Halt>(new Halt(path, new (memory) HaltWord(0)));
}

Halt::~Halt() {
  if (!own_) ::munmap(word_, kHaltFileBytes);
}

void Halt::begin() {
  if (is_halted()) return;
  word_->store(-(monotonic_ns() - word_->load()));
}

void Halt::end() {
  if (!is_halted()) return;
  word_->store(halted_ns(*word_, monotonic_ns()));
}

std::chrono::nanoseconds Halt::halted() const {
  return std::chrono::nanoseconds(halted_ns(*word_, monotonic_ns()));
}

/// From one reading of the clock, or it would move by what lies between two.
Halt::Clock::time_point Halt::now() const {
  const std::int64_t now = monotonic_ns();
  return Clock::time_point(std::chrono::nanoseconds(now - halted_ns(*word_, now)));
}

std::optional<std::chrono::nanoseconds> sleep_without_halts(const Halt* halt,
                                                            std::chrono::steady_clock::time_point due) {
  const std::chrono::nanoseconds left = due - now_without_halts(halt);
  if (halt != nullptr && halt->is_halted()) return std::max<std::chrono::nanoseconds>(left, kLookAgain);
  if (left.count() > 0) return left;
  return std::nullopt;
}

void HaltTimer::wait(std::chrono::nanoseconds time, std::function<void()> handler) {
  cancel();
  handler_ = std::move(handler);
  due_ = now_without_halts(halt_) + time;
  look();
}

void HaltTimer::cancel() {
  ++*waits_;
  timer_.cancel();
  handler_ = nullptr;
}

void HaltTimer::look() {
  timer_.expires_after(sleep_without_halts(halt_, due_).value_or(std::chrono::nanoseconds(0)));
  timer_.async_wait([this, waits = waits_, number = *waits_](const boost::system::error_code& error) {
    if (error || number != *waits) return;
    if (sleep_without_halts(halt_, due_)) return look();
    const auto handler = std::exchange(handler_, nullptr);
    handler();
  });
}

}  // namespace otasim
