#include "sim/link/service_faults.h"

#include <algorithm>
#include <utility>

namespace otasim::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Forged answers come in place of the lab's, or before it, and need none of the lab's;
/// sntp.forged and dns.nxdomain change the lab's own.
template <typename Fault>
constexpr bool kIsForged = false;
template <>
constexpr bool kIsForged<faults::DhcpForged> = true;
template <>
constexpr bool kIsForged<faults::DnsForged> = true;

Service service_of(const ServiceFault& fault) {
  return std::visit(
      [](const auto& one) {
        const std::string_view service = one.kName.substr(0, one.kName.find('.'));
        return service == "dhcp" ? Service::kDhcp : service == "dns" ? Service::kDns : Service::kSntp;
      },
      fault);
}

bool could_strike(const ServiceFault& fault, ServiceRequest request) {
  return std::visit(
      [request](const auto& one) {
        return kIsForged<std::decay_t<decltype(one)>> ? request.forgery : request.answer;
      },
      fault);
}

template <typename Late>
void apply_delay(const Late& late, ServiceStrikes& strikes, FaultId id, nlohmann::json& what) {
  strikes.delay += milliseconds(late.delay_ms);
  strikes.delayed_by = id;
  what["delay_ms"] = late.delay_ms;
}

/// Writes down what a fault that strikes does, for the answer and for the event.
struct Apply {
  FaultId id;
  ServiceStrikes& strikes;
  nlohmann::json& what;

  void operator()(const faults::DhcpMissing&) const { strikes.missing = true; }
  void operator()(const faults::DnsMissing&) const { strikes.missing = true; }
  void operator()(const faults::SntpMissing&) const { strikes.missing = true; }
  void operator()(const faults::DhcpLate& fault) const { apply_delay(fault, strikes, id, what); }
  void operator()(const faults::DnsLate& fault) const { apply_delay(fault, strikes, id, what); }
  void operator()(const faults::SntpLate& fault) const { apply_delay(fault, strikes, id, what); }
  void operator()(const faults::DhcpForged& fault) const {
    strikes.dhcp_forged = fault;
    what["address"] = to_string(fault.address);
    what["router"] = to_string(fault.router);
    what["name_server"] = to_string(fault.name_server);
    what["time_server"] = to_string(fault.time_server);
  }
  void operator()(const faults::DnsForged& fault) const {
    strikes.dns_forged = fault;
    strikes.nxdomain = false;
    what["address"] = to_string(fault.address);
  }
  void operator()(const faults::DnsNxdomain&) const {
    strikes.nxdomain = true;
    strikes.dns_forged.reset();
  }
  void operator()(const faults::SntpForged& fault) const {
    strikes.offset_s = fault.offset_s;
    what["offset_s"] = fault.offset_s;
  }
};

std::string_view name_of_service_fault(const ServiceFault& fault) {
  return std::visit([](const auto& one) { return one.kName; }, fault);
}

}  // namespace

void ServiceFaults::arm(FaultId id, const ServiceFault& fault) {
  const StrikePlan plan = std::visit([](const auto& one) { return one.strike; }, fault);
  armed_.push_back({id, fault, Strike(plan)});
}

bool ServiceFaults::clear(FaultId id, Clock::time_point now) {
  const auto found =
      std::find_if(armed_.begin(), armed_.end(), [id](const Armed& armed) { return armed.id == id; });
  if (found == armed_.end()) return false;
  for (auto it = late_.begin(); it != late_.end();) {
    const auto one = it++;
    if (one->second.by != id || one->first <= now) continue;
    late_.emplace(now, std::move(one->second));
    late_.erase(one);
  }
  tell_("fault_cleared",
        {{"fault", name_of_service_fault(found->fault)}, {"struck", found->strike.struck()}});
  armed_.erase(found);
  return true;
}

bool ServiceFaults::has_any(Service service) const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [service](const Armed& armed) { return service_of(armed.fault) == service; });
}

ServiceStrikes ServiceFaults::strike(Service service, ServiceRequest request, const nlohmann::json& what) {
  ServiceStrikes strikes;
  for (Armed& armed : armed_) {
    if (service_of(armed.fault) != service || !could_strike(armed.fault, request)) continue;
    if (!armed.strike.next()) continue;
    nlohmann::json members = what;
    std::visit(Apply{armed.id, strikes, members}, armed.fault);
    tell_of(armed, std::move(members));
  }
  return strikes;
}

void ServiceFaults::tell_of(const Armed& armed, nlohmann::json what) const {
  if (armed.strike.struck() > kMaxEventsPerFault) return;
  what["fault"] = name_of_service_fault(armed.fault);
  tell_("fault", std::move(what));
}

bool ServiceFaults::hold(const ServiceStrikes& strikes, Frame frame, Clock::time_point now) {
  if (late_.size() >= kMaxLateAnswers) return false;
  late_.emplace(now + strikes.delay, Late{strikes.delayed_by, std::move(frame)});
  return true;
}

std::optional<nanoseconds> ServiceFaults::wait(Clock::time_point now) const {
  if (late_.empty()) return std::nullopt;
  return std::max(nanoseconds::zero(), nanoseconds(late_.begin()->first - now));
}

std::optional<ServiceFaults::Frame> ServiceFaults::pop(Clock::time_point now) {
  if (late_.empty() || late_.begin()->first > now) return std::nullopt;
  std::optional<Frame> frame = std::move(late_.begin()->second.frame);
  late_.erase(late_.begin());
  return frame;
}

}  // namespace otasim::link
