#include "sim/link/frame_faults.h"

#include <algorithm>
#include <utility>

#include "sim/link/fault_stages.h"

namespace otasim::link {

using std::chrono::nanoseconds;
using Outcome = FaultStage::Outcome;

FrameFaults::FrameFaults(Hooks hooks) : hooks_(std::move(hooks)) {}
FrameFaults::~FrameFaults() = default;

void FrameFaults::arm(FaultId id, const FrameFault& fault) {
  stages_.push_back(make_stage(id, fault));
}

void FrameFaults::arm(FaultId id, const std::vector<Flow>& flows) {
  stages_.push_back(make_half_open_stage(id, flows, hooks_.tell));
}

bool FrameFaults::clear(FaultId id, Clock::time_point now) {
  const auto found =
      std::find_if(stages_.begin(), stages_.end(), [id](const auto& stage) { return stage->id() == id; });
  if (found == stages_.end()) return false;
  const auto behind = static_cast<std::size_t>(found - stages_.begin());
  const std::unique_ptr<FaultStage> cleared = std::move(*found);
  stages_.erase(found);
  while (const auto held = cleared->pop(now, /*all=*/true)) pass_from(behind, held->view(), now);
  hooks_.tell("fault_cleared", {{"fault", cleared->name()}, {"struck", cleared->struck()}});
  return true;
}

void FrameFaults::take(Direction direction, Bytes frame, Clock::time_point now) {
  pass_from(0, {direction, inspect(frame, direction), frame}, now);
}

void FrameFaults::pass_from(std::size_t stage, const PassingFrame& entering, Clock::time_point now) {
  PassingFrame frame = entering;
  for (std::size_t i = stage; i < stages_.size(); ++i) {
    if (!stages_[i]->is_about(frame)) continue;
    switch (stages_[i]->take(frame, now, hooks_.tell)) {
      case Outcome::kPass:
        break;
      case Outcome::kLost:
        hooks_.lost(DropReason::kFault);
        return;
      case Outcome::kOverflow:
        hooks_.lost(DropReason::kQueueFull);
        return;
      case Outcome::kTwice:
        pass_from(i + 1, frame, now);
        break;
      case Outcome::kHeld:
        return;
      case Outcome::kPassAndRelease:
        pass_from(i + 1, frame, now);
        release_from(i, now);
        return;
    }
  }
  hooks_.pass(frame.direction, frame.bytes);
}

std::optional<nanoseconds> FrameFaults::wait(Clock::time_point now) const {
  std::optional<nanoseconds> wait;
  for (const auto& stage : stages_) {
    const auto due = stage->due();
    if (!due) continue;
    const nanoseconds left = std::max(nanoseconds::zero(), nanoseconds(*due - now));
    wait = std::min(wait.value_or(left), left);
  }
  return wait;
}

void FrameFaults::release(Clock::time_point now) {
  for (std::size_t i = 0; i < stages_.size(); ++i) release_from(i, now);
}

void FrameFaults::release_from(std::size_t stage, Clock::time_point now) {
  for (int i = 0; i < kMaxReleasedFrames; ++i) {
    const auto held = stages_[stage]->pop(now, /*all=*/false);
    if (!held) return;
    pass_from(stage + 1, held->view(), now);
  }
}

nlohmann::json description_of(const PassingFrame& frame) {
  nlohmann::json what = {{"direction", name_of(frame.direction)},
                         {"protocol", name_of(frame.info.kind)},
                         {"bytes", frame.bytes.size()}};
  if (frame.info.kind == FrameInfo::Kind::kTcp || frame.info.kind == FrameInfo::Kind::kUdp) {
    what["device_port"] = frame.info.ports.device_port;
    what["host_port"] = frame.info.ports.host_port;
  }
  return what;
}

}  // namespace otasim::link
