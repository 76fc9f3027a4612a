// The buffers in which received messages wait for the agent: a fixed pool.
//
// A message takes one with acquire(); the agent's Processed callback gives it back with release(). There is a
// way through the agent on which that callback does not come (a job notification during a download), so the
// event queue also says what it delivered: when the agent asks for the next event, it is done with the last
// one, and reclaim_delivered() frees it if nobody did.
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

  /// Notes that the agent got this buffer (or nullptr) with an event.
  void delivered(OtaEventData_t* buffer) { delivered_ = buffer; }
  void reclaim_delivered() { release(delivered_); }

 private:
  std::array<OtaEventData_t, kCount> buffers_{};
  OtaEventData_t* delivered_ = nullptr;
};

}  // namespace app
