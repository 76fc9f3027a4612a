// The frame faults that are armed, as a chain between the two ends of the wire.
//
// A frame that enters at one end goes through the faults in the order of their arming, and what is left of
// it, and when, comes out at the other. A fault that holds frames back holds copies, at most kMaxHeldFrames a
// direction; every other frame passes as the bytes that came in. Without an armed fault there is nothing to
// do: the caller need not ask.
//
// Time comes from outside, as in delay_line.h: take() each frame; once wait() is zero, release(). Clearing a
// fault lets out what it holds, in order, through the faults behind it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/link/fault.h"
#include "sim/link/flow_table.h"
#include "sim/link/frame_info.h"
#include "sim/link/statistics.h"

namespace otasim::link {

/// A frame within the chain.
struct PassingFrame {
  Direction direction = Direction::kToDevice;  ///< never kBoth
  FrameInfo info{};
  Bytes bytes{};
};

class FaultStage;

class FrameFaults {
 public:
  using Clock = std::chrono::steady_clock;

  /// What one fault holds back in one direction.
  static constexpr std::size_t kMaxHeldFrames = 8192;
  /// What one call of release() lets out of one fault.
  static constexpr int kMaxReleasedFrames = 64;
  /// A fault that strikes without end does not fill the event log.
  static constexpr std::uint64_t kMaxEventsPerFault = 10'000;

  struct Hooks {
    /// A frame is at the other end. May call take() for another frame.
    std::function<void(Direction direction, Bytes frame)> pass;
    std::function<void(DropReason reason)> lost;
    /// An event: "fault" for a strike, "fault_cleared".
    std::function<void(std::string_view event, nlohmann::json members)> tell;
  };

  explicit FrameFaults(Hooks hooks);
  ~FrameFaults();

  [[nodiscard]] bool is_empty() const { return stages_.empty(); }

  void arm(FaultId id, const FrameFault& fault);
  /// link.half_open. @param flows  that are lost from now on; each is told of
  void arm(FaultId id, const std::vector<Flow>& flows);
  /// @returns false  no such fault is armed here
  bool clear(FaultId id, Clock::time_point now);

  /// @param direction  not kBoth
  void take(Direction direction, Bytes frame, Clock::time_point now);

  /// How long until a held frame is due; empty: none is held.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> wait(Clock::time_point now) const;
  void release(Clock::time_point now);

 private:
  void pass_from(std::size_t stage, const PassingFrame& frame, Clock::time_point now);
  void release_from(std::size_t stage, Clock::time_point now);

  Hooks hooks_;
  std::vector<std::unique_ptr<FaultStage>> stages_;
};

/// The members of an event that say which frame was struck.
[[nodiscard]] nlohmann::json description_of(const PassingFrame& frame);

}  // namespace otasim::link
