// Keeps the device's receive FIFO from overflowing while the emulated processor stands still.
//
// A real controller's FIFO is emptied by an interrupt within microseconds, and QEMU's by a thread of the
// host, which may not run for milliseconds; meanwhile a wire at full rate fills it, and QEMU's controller
// drops without a word. So no more than half of the FIFO is sent on from the last frame that the device sent:
// when a device sends, its interrupts have run, and what had reached the FIFO by then is out of it. The other
// half is for what reaches it between that moment and the link's hearing of it.
//
// Devices that receive TCP send an acknowledgement for every second segment, so this costs a few turn-arounds
// on one machine and no throughput. A device that does not answer gets the rest after kPatience: longer than
// a delayed acknowledgement, and than a busy host lets an emulator wait for its turn.
//
// Time comes from outside, as in pacer.h.
#pragma once

#include <chrono>
#include <cstddef>

#include "sim/link/pacer.h"

namespace otasim::link {

class FifoGuard {
 public:
  using Clock = Pacer::Clock;

  static constexpr std::chrono::milliseconds kPatience{300};

  /// @param fifo_bytes  what the FIFO holds; at least two of the largest frames
  explicit FifoGuard(std::size_t fifo_bytes) : limit_(fifo_bytes / 2) {}

  /// How long a frame of this size has to wait if the device stays silent; zero if it may go now.
  [[nodiscard]] std::chrono::nanoseconds wait_for(std::size_t frame_bytes, Clock::time_point now) const;
  void sent(std::size_t frame_bytes, Clock::time_point now);

  /// A frame of the device arrived. @param unread_bytes  sent to QEMU and not read by it yet, or more
  void device_spoke(std::size_t unread_bytes);

 private:
  [[nodiscard]] bool fits(std::size_t frame_bytes) const;

  std::size_t limit_;
  std::size_t pending_ = 0;  ///< bytes of frames that may be in the FIFO
  Clock::time_point last_sent_{};
};

}  // namespace otasim::link
