// One armed frame fault: what it makes of each frame that it is about.
//
// The chain (frame_faults.h) asks take() about each matching frame, in order, and does what it says. A stage
// that holds frames gives them back through pop(), once they are due or, when it is cleared, all of them.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "sim/base/json.h"
#include "sim/link/frame_faults.h"

namespace otasim::link {

/// A copy of a frame that is held back.
struct HeldFrame {
  FrameFaults::Clock::time_point due{};
  Direction direction = Direction::kToDevice;
  FrameInfo info{};
  std::vector<std::uint8_t> bytes{};

  HeldFrame(FrameFaults::Clock::time_point due_at, const PassingFrame& frame)
      : due(due_at),
        direction(frame.direction),
        info(frame.info),
        bytes(frame.bytes.begin(), frame.bytes.end()) {}
  [[nodiscard]] PassingFrame view() const { return {direction, info, bytes}; }
};

class FaultStage {
 public:
  using Clock = FrameFaults::Clock;
  using Tell = std::function<void(std::string_view event, nlohmann::json members)>;

  enum class Outcome : std::uint8_t {
    kPass,
    kLost,
    kOverflow,  ///< lost, because too many are held
    kTwice,
    kHeld,
    kPassAndRelease,  ///< pass it, then what is due
  };

  FaultStage(FaultId id, std::string_view name, const FrameMatch& match)
      : id_(id), name_(name), match_(match) {}
  virtual ~FaultStage() = default;
  FaultStage(const FaultStage&) = delete;
  FaultStage& operator=(const FaultStage&) = delete;

  [[nodiscard]] FaultId id() const { return id_; }
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::uint64_t struck() const { return struck_; }
  [[nodiscard]] bool is_about(const PassingFrame& frame) const {
    return matches(match_, frame.direction, frame.info);
  }

  /// May change which bytes the frame is; they stay until the next frame of its direction.
  [[nodiscard]] virtual Outcome take(PassingFrame& frame, Clock::time_point now, const Tell& tell) = 0;

  /// When the first held frame is due; empty: none is held.
  [[nodiscard]] virtual std::optional<Clock::time_point> due() const { return std::nullopt; }
  /// A held frame that is due; with `all` any, the first due first.
  [[nodiscard]] virtual std::optional<HeldFrame> pop(Clock::time_point, bool /*all*/) { return std::nullopt; }

 protected:
  /// A strike that is told of, up to the limit.
  void strike(const Tell& tell, nlohmann::json what);
  /// A strike of a fault that strikes every frame: the first one is told of.
  void strike_on_and_on(const Tell& tell, const PassingFrame& frame);

 private:
  FaultId id_;
  std::string_view name_;
  FrameMatch match_;
  std::uint64_t struck_ = 0;
};

[[nodiscard]] std::unique_ptr<FaultStage> make_stage(FaultId id, const FrameFault& fault);
[[nodiscard]] std::unique_ptr<FaultStage> make_half_open_stage(FaultId id, const std::vector<Flow>& flows,
                                                               const FaultStage::Tell& tell);

}  // namespace otasim::link
