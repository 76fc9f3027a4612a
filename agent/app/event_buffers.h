// The buffers in which received messages wait for the agent: a fixed pool.
//
// A message takes one with acquire(). The agent's Processed callback gives it back with release(), whatever
// came of the event; a buffer whose event the agent did not take is released by the one that tried.
#pragma once

#include <array>
#include <cstdint>

#include "agent/include/ota_types.h"

namespace app {

class EventBuffers {
 public:
  /// All blocks that the demo has on their way at once, and job documents beside them.
  static constexpr std::size_t kCount = 40;

  /// @returns a free buffer of length 0; nullptr if no more than `keep_free` are.
  [[nodiscard]] OtaEventData_t* acquire(std::size_t keep_free = 0);

  /// Frees a buffer; anything that is not one is ignored.
  void release(const OtaEventData_t* buffer);

 private:
  std::array<OtaEventData_t, kCount> buffers_{};
};

}  // namespace app
