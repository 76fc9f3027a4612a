// The lab's clock: the cloud's, less the time for which a debugger held the device still.
#pragma once

#include <chrono>
#include <cstdint>

#include "sim/base/halt.h"
#include "sim/cloud/clock.h"

namespace otasim::lab {

/// now() may be asked on any thread.
class HaltingClock final : public cloud::Clock {
 public:
  /// @param halt  may be null: time never stands still; outlives the clock
  explicit HaltingClock(const Halt* halt) : halt_(halt) {}

  [[nodiscard]] std::int64_t now() const override {
    const auto halted = halt_ == nullptr ? std::chrono::nanoseconds{0} : halt_->halted();
    return clock_.now() - std::chrono::floor<std::chrono::seconds>(halted).count();
  }
  /// Sets the clock forward, or back with a negative number.
  void jump(std::int64_t seconds) {
    clock_.jump(seconds);
    tell_of_jump();
  }

 private:
  const Halt* halt_;
  cloud::LabClock clock_;
};

}  // namespace otasim::lab
