#include "sim/link/fault.h"

#include <fmt/format.h>

#include <string>

namespace otasim::link {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// Beyond it a time server's answer says nothing that a shorter one does not.
constexpr std::int64_t kMaxOffsetS = 200LL * 365 * 86'400;

/// What is wrong with a fault's members; empty if nothing is.
using Complaint = std::string;

Complaint look_at(const FrameMatch& match) {
  return match.tcp_port != 0 && match.protocol == Protocol::kUdp ? "tcp_port is given, and protocol is udp"
                                                                 : "";
}

Complaint look_at(const StrikePlan& plan) {
  const bool possible = plan.probability >= 0.0 && plan.probability <= 1.0;  // false for NaN, too
  return possible ? "" : fmt::format("probability is {}; it is from 0 to 1", plan.probability);
}

Complaint look_at_time(std::string_view member, std::uint32_t ms) {
  if (ms <= faults::kMaxLatencyMs) return "";
  return fmt::format("{} is {}; at most {} is possible", member, ms, faults::kMaxLatencyMs);
}

Complaint first(const Complaint& one, const Complaint& other) {
  return one.empty() ? other : one;
}

Complaint look_at_members(const faults::Reorder& fault) {
  if (fault.by == 0 || fault.by > faults::kMaxReorderBy) {
    return fmt::format("by is {}; it is from 1 to {}", fault.by, faults::kMaxReorderBy);
  }
  return look_at_time("hold_ms", fault.hold_ms);
}
Complaint look_at_members(const faults::Latency& fault) {
  return first(look_at_time("latency_ms", fault.latency_ms), look_at_time("jitter_ms", fault.jitter_ms));
}
Complaint look_at_members(const faults::Rate& fault) {
  return fault.bits_per_second == 0 ? "bits_per_second is 0; a blackhole passes nothing" : "";
}
Complaint look_at_members(const faults::SntpForged& fault) {
  if (fault.offset_s >= -kMaxOffsetS && fault.offset_s <= kMaxOffsetS) return "";
  return fmt::format("offset_s is {}; it is from {} to {}", fault.offset_s, -kMaxOffsetS, kMaxOffsetS);
}
template <typename Fault>
Complaint look_at_members(const Fault& fault) {
  if constexpr (requires { fault.delay_ms; }) {
    return look_at_time("delay_ms", fault.delay_ms);
  } else {
    return "";
  }
}

template <typename Fault>
Complaint look_at_all(const Fault& fault) {
  Complaint complaint = look_at_members(fault);
  if constexpr (requires { fault.strike; }) complaint = first(look_at(fault.strike), complaint);
  if constexpr (requires { fault.match; }) complaint = first(look_at(fault.match), complaint);
  return complaint;
}

/// Calls `what` with the fault itself, whichever it is.
template <typename What>
auto visit_fault(const LinkFault& fault, const What& what) {
  return std::visit(
      Overloaded{[&](const FrameFault& frame_fault) { return std::visit(what, frame_fault); },
                 [&](const ServiceFault& service_fault) { return std::visit(what, service_fault); },
                 [&](const auto& flow_fault) { return what(flow_fault); }},
      fault);
}

}  // namespace

std::string_view name_of(const LinkFault& fault) {
  return visit_fault(fault, [](const auto& one) { return one.kName; });
}

Result<void> check(const LinkFault& fault) {
  const Complaint complaint = visit_fault(fault, [](const auto& one) { return look_at_all(one); });
  if (complaint.empty()) return {};
  return fail(ExitCode::kUsage, fmt::format("the fault {} cannot be armed: {}", name_of(fault), complaint),
              "docs/faults.md lists each fault's members.");
}

}  // namespace otasim::link
