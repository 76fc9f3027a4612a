#include "sim/link/fault_stages.h"

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <utility>

#include "sim/link/pacer.h"

namespace otasim::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Outcome = FaultStage::Outcome;
using Tell = FaultStage::Tell;
using Clock = FaultStage::Clock;

/// One for each direction that a frame can have.
template <typename T>
using PerDirection = std::array<T, 2>;

std::size_t index_of(Direction direction) {
  return direction == Direction::kToDevice ? 0 : 1;
}

class LossStage final : public FaultStage {
 public:
  LossStage(FaultId id, const faults::Loss& fault)
      : FaultStage(id, fault.kName, fault.match), strike_(fault.strike) {}

  Outcome take(PassingFrame& frame, Clock::time_point, const Tell& tell) override {
    if (!strike_.next()) return Outcome::kPass;
    strike(tell, description_of(frame));
    return Outcome::kLost;
  }

 private:
  Strike strike_;
};

class DuplicateStage final : public FaultStage {
 public:
  DuplicateStage(FaultId id, const faults::Duplicate& fault)
      : FaultStage(id, fault.kName, fault.match), strike_(fault.strike) {}

  Outcome take(PassingFrame& frame, Clock::time_point, const Tell& tell) override {
    if (!strike_.next()) return Outcome::kPass;
    strike(tell, description_of(frame));
    return Outcome::kTwice;
  }

 private:
  Strike strike_;
};

/// The bytes behind the Ethernet header, without the padding of a short frame, where damage would do nothing.
std::size_t end_of_packet(Bytes frame) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet || ethernet->ether_type != kEtherTypeIpv4 || ethernet->payload.size() < kIpv4HeaderBytes) {
    return frame.size();
  }
  const std::size_t packet_bytes = std::max<std::size_t>(read_u16(ethernet->payload, 2), kIpv4HeaderBytes);
  return std::min(frame.size(), kEthernetHeaderBytes + packet_bytes);
}

class CorruptStage final : public FaultStage {
 public:
  CorruptStage(FaultId id, const faults::Corrupt& fault)
      : FaultStage(id, fault.kName, fault.match), strike_(fault.strike), place_(fault.strike.seed) {}

  Outcome take(PassingFrame& frame, Clock::time_point, const Tell& tell) override {
    const std::size_t end = end_of_packet(frame.bytes);
    if (end <= kEthernetHeaderBytes || !strike_.next()) return Outcome::kPass;
    const std::uint64_t bit = place_() % ((end - kEthernetHeaderBytes) * 8);
    const std::size_t offset = kEthernetHeaderBytes + bit / 8;
    nlohmann::json what = description_of(frame);
    what["offset"] = offset;
    what["bit"] = bit % 8;
    strike(tell, std::move(what));
    auto& damaged = damaged_[index_of(frame.direction)];
    damaged.assign(frame.bytes.begin(), frame.bytes.end());
    damaged[offset] = static_cast<std::uint8_t>(damaged[offset] ^ 1U << bit % 8);
    frame.bytes = damaged;
    return Outcome::kPass;
  }

 private:
  Strike strike_;
  std::mt19937_64 place_;
  PerDirection<std::vector<std::uint8_t>> damaged_;
};

class ReorderStage final : public FaultStage {
 public:
  ReorderStage(FaultId id, const faults::Reorder& fault)
      : FaultStage(id, fault.kName, fault.match),
        strike_(fault.strike),
        by_(fault.by),
        longest_(fault.hold_ms) {}

  Outcome take(PassingFrame& frame, Clock::time_point now, const Tell& tell) override {
    auto& held = held_[index_of(frame.direction)];
    if (held) {
      if (--held->to_pass == 0) held->frame.due = now;
      return held->to_pass == 0 ? Outcome::kPassAndRelease : Outcome::kPass;
    }
    if (!strike_.next()) return Outcome::kPass;
    strike(tell, description_of(frame));
    held.emplace(Held{HeldFrame(now + longest_, frame), by_});
    return Outcome::kHeld;
  }

  std::optional<Clock::time_point> due() const override {
    std::optional<Clock::time_point> first;
    for (const auto& held : held_) {
      if (held) first = std::min(first.value_or(held->frame.due), held->frame.due);
    }
    return first;
  }

  std::optional<HeldFrame> pop(Clock::time_point now, bool all) override {
    for (auto& held : held_) {
      if (!held || (!all && held->frame.due > now)) continue;
      std::optional<HeldFrame> frame = std::move(held->frame);
      held.reset();
      return frame;
    }
    return std::nullopt;
  }

 private:
  struct Held {
    HeldFrame frame;
    std::uint32_t to_pass;
  };

  Strike strike_;
  std::uint32_t by_;
  milliseconds longest_;
  PerDirection<std::optional<Held>> held_;
};

/// Frames of a direction come out in order, each when its fault says.
class QueueingStage : public FaultStage {
 public:
  using FaultStage::FaultStage;

  Outcome take(PassingFrame& frame, Clock::time_point now, const Tell& tell) final {
    Queue& queue = queues_[index_of(frame.direction)];
    if (queue.frames.size() >= FrameFaults::kMaxHeldFrames) return Outcome::kOverflow;
    strike_on_and_on(tell, frame);
    queue.last_due = std::max(queue.last_due, due_of(frame, now));
    queue.frames.emplace_back(queue.last_due, frame);
    return Outcome::kHeld;
  }

  std::optional<Clock::time_point> due() const final {
    const Queue* queue = first_queue();
    if (queue == nullptr) return std::nullopt;
    return queue->frames.front().due;
  }

  std::optional<HeldFrame> pop(Clock::time_point now, bool all) final {
    Queue* queue = first_queue();
    if (queue == nullptr || (!all && queue->frames.front().due > now)) return std::nullopt;
    std::optional<HeldFrame> frame = std::move(queue->frames.front());
    queue->frames.pop_front();
    return frame;
  }

 private:
  struct Queue {
    Clock::time_point last_due{};
    std::deque<HeldFrame> frames{};
  };

  /// When a frame would come out if no other one were held.
  [[nodiscard]] virtual Clock::time_point due_of(const PassingFrame& frame, Clock::time_point now) = 0;

  /// The one whose first frame is due first.
  [[nodiscard]] const Queue* first_queue() const {
    const Queue* first = nullptr;
    for (const Queue& queue : queues_) {
      if (queue.frames.empty()) continue;
      if (first == nullptr || queue.frames.front().due < first->frames.front().due) first = &queue;
    }
    return first;
  }
  [[nodiscard]] Queue* first_queue() { return const_cast<Queue*>(std::as_const(*this).first_queue()); }

  PerDirection<Queue> queues_;
};

class LatencyStage final : public QueueingStage {
 public:
  LatencyStage(FaultId id, const faults::Latency& fault)
      : QueueingStage(id, fault.kName, fault.match),
        latency_(milliseconds(fault.latency_ms)),
        jitter_(milliseconds(fault.jitter_ms)),
        random_(fault.seed) {}

 private:
  Clock::time_point due_of(const PassingFrame&, Clock::time_point now) override {
    const std::uint64_t range = static_cast<std::uint64_t>(jitter_.count()) + 1;
    return now + latency_ + nanoseconds(random_() % range);
  }

  nanoseconds latency_;
  nanoseconds jitter_;
  std::mt19937_64 random_;
};

class RateStage final : public QueueingStage {
 public:
  RateStage(FaultId id, const faults::Rate& fault)
      : QueueingStage(id, fault.kName, fault.match), wire_(fault.bits_per_second, kMaxFrameBytes) {}

 private:
  Clock::time_point due_of(const PassingFrame& frame, Clock::time_point now) override {
    auto& wire_free = wire_free_[index_of(frame.direction)];
    wire_free = std::max(wire_free, now) + wire_.time_on_wire(frame.bytes.size());
    return wire_free;
  }

  Pacer wire_;
  PerDirection<Clock::time_point> wire_free_{};
};

class BlackholeStage final : public FaultStage {
 public:
  BlackholeStage(FaultId id, const faults::Blackhole& fault) : FaultStage(id, fault.kName, fault.match) {}

  Outcome take(PassingFrame& frame, Clock::time_point, const Tell& tell) override {
    strike_on_and_on(tell, frame);
    return Outcome::kLost;
  }
};

class HalfOpenStage final : public FaultStage {
 public:
  HalfOpenStage(FaultId id, const std::vector<Flow>& flows, const Tell& tell)
      : FaultStage(id, faults::HalfOpen::kName, {.protocol = Protocol::kTcp}) {
    for (const Flow& flow : flows) {
      lost_.insert(flow.key);
      strike(tell, {{"device_port", flow.key.device_port}, {"host_port", flow.key.host_port}});
    }
  }

  Outcome take(PassingFrame& frame, Clock::time_point, const Tell&) override {
    // The device uses the port again: a new connection.
    if (frame.direction == Direction::kFromDevice && frame.info.opens_connection()) {
      lost_.erase(frame.info.ports);
    }
    return lost_.contains(frame.info.ports) ? Outcome::kLost : Outcome::kPass;
  }

 private:
  std::set<FlowKey> lost_;
};

}  // namespace

void FaultStage::strike(const Tell& tell, nlohmann::json what) {
  if (struck_++ >= FrameFaults::kMaxEventsPerFault) return;
  what["fault"] = name_;
  tell("fault", std::move(what));
}

void FaultStage::strike_on_and_on(const Tell& tell, const PassingFrame& frame) {
  if (struck_ == 0) {
    strike(tell, description_of(frame));
  } else {
    ++struck_;
  }
}

std::unique_ptr<FaultStage> make_stage(FaultId id, const FrameFault& fault) {
  struct Maker {
    FaultId id;
    using Stage = std::unique_ptr<FaultStage>;
    Stage operator()(const faults::Loss& f) const { return std::make_unique<LossStage>(id, f); }
    Stage operator()(const faults::Duplicate& f) const { return std::make_unique<DuplicateStage>(id, f); }
    Stage operator()(const faults::Corrupt& f) const { return std::make_unique<CorruptStage>(id, f); }
    Stage operator()(const faults::Reorder& f) const { return std::make_unique<ReorderStage>(id, f); }
    Stage operator()(const faults::Latency& f) const { return std::make_unique<LatencyStage>(id, f); }
    Stage operator()(const faults::Rate& f) const { return std::make_unique<RateStage>(id, f); }
    Stage operator()(const faults::Blackhole& f) const { return std::make_unique<BlackholeStage>(id, f); }
  };
  return std::visit(Maker{id}, fault);
}

std::unique_ptr<FaultStage> make_half_open_stage(FaultId id, const std::vector<Flow>& flows,
                                                 const FaultStage::Tell& tell) {
  return std::make_unique<HalfOpenStage>(id, flows, tell);
}

}  // namespace otasim::link
