// A point in the future on the board's clock; right across the clock's wrap.
#pragma once

#include <cstdint>

#include "qemu_boards/common/board.h"

namespace app {

class Deadline {
 public:
  explicit Deadline(std::uint32_t timeout_ms) : start_(board::millis()), timeout_ms_(timeout_ms) {}

  [[nodiscard]] std::uint32_t elapsed_ms() const { return board::millis() - start_; }
  [[nodiscard]] bool passed() const { return elapsed_ms() >= timeout_ms_; }

 private:
  std::uint32_t start_;
  std::uint32_t timeout_ms_;
};

}  // namespace app
