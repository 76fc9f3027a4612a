#include "sim/link/flow_table.h"

namespace otasim::link {
namespace {

/// Sequence numbers wrap around.
bool is_after(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) > 0;
}

}  // namespace

void FlowTable::from_device(const FrameInfo& frame) {
  if (frame.kind != FrameInfo::Kind::kTcp) return;
  if (frame.opens_connection()) {
    if (flows_.size() >= kMaxFlows && !flows_.contains(frame.ports)) return;
    flows_[frame.ports] = {.device_next = frame.sequence + frame.sequence_length};
    return;
  }
  const auto found = flows_.find(frame.ports);
  if (found == flows_.end()) return;
  State& flow = found->second;
  const std::uint32_t next = frame.sequence + frame.sequence_length;
  if (is_after(next, flow.device_next)) flow.device_next = next;
  if ((frame.flags & kTcpAck) != 0 &&
      (!flow.established || is_after(frame.acknowledgement, flow.host_next))) {
    flow.host_next = frame.acknowledgement;
    flow.established = true;
  }
  if ((frame.flags & kTcpFin) != 0) flow.device_closed = true;
  if ((frame.flags & kTcpRst) != 0 || (flow.device_closed && flow.host_closed)) flows_.erase(found);
}

void FlowTable::to_device(const FrameInfo& frame) {
  if (frame.kind != FrameInfo::Kind::kTcp || (frame.flags & (kTcpFin | kTcpRst)) == 0) return;
  const auto found = flows_.find(frame.ports);
  if (found == flows_.end()) return;
  State& flow = found->second;
  if ((frame.flags & kTcpFin) != 0) flow.host_closed = true;
  if ((frame.flags & kTcpRst) != 0 || (flow.device_closed && flow.host_closed)) flows_.erase(found);
}

std::vector<Flow> FlowTable::flows_to(std::uint16_t host_port) const {
  std::vector<Flow> flows;
  for (const auto& [key, state] : flows_) {
    if (host_port != 0 && key.host_port != host_port) continue;
    flows.push_back({.key = key, .device_next = state.device_next, .host_next = state.host_next});
  }
  return flows;
}

}  // namespace otasim::link
