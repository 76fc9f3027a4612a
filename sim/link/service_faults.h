// The faults of the link's own servers (DHCP, DNS, SNTP) that are armed, and the answers that are late.
//
//   const ServiceStrikes strikes = faults.strike(Service::kDns, {.answer = true, .forgery = true}, {...});
//   make the answer as it says; then nothing, or faults.hold(late), or send
//
// Each armed fault of the service is asked once for each request that it could strike: missing and late ones
// if the lab has an answer, forged ones if a forger could give one. If several change the answer, the one
// that was armed last does; delays add up.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/link/fault.h"

namespace otasim::link {

enum class Service : std::uint8_t { kDhcp, kDns, kSntp };

/// What a request offers to faults.
struct ServiceRequest {
  bool answer = false;   ///< the lab has an answer
  bool forgery = false;  ///< a forger could give another one
};

/// What becomes of the answer.
struct ServiceStrikes {
  bool missing = false;
  std::chrono::milliseconds delay{0};
  FaultId delayed_by{};
  bool nxdomain = false;
  std::optional<faults::DhcpForged> dhcp_forged{};
  std::optional<faults::DnsForged> dns_forged{};
  std::int64_t offset_s = 0;
};

class ServiceFaults {
 public:
  using Clock = std::chrono::steady_clock;
  using Frame = std::vector<std::uint8_t>;
  using Tell = std::function<void(std::string_view event, nlohmann::json members)>;

  static constexpr std::size_t kMaxLateAnswers = 1024;
  static constexpr std::uint64_t kMaxEventsPerFault = 10'000;

  explicit ServiceFaults(Tell tell) : tell_(std::move(tell)) {}

  void arm(FaultId id, const ServiceFault& fault);
  /// Answers that it delays come out at once. @returns false  no such fault is armed here
  bool clear(FaultId id, Clock::time_point now);

  [[nodiscard]] bool has_any(Service service) const;
  /// @param what  members of the event that say what was struck
  [[nodiscard]] ServiceStrikes strike(Service service, ServiceRequest request, const nlohmann::json& what);

  /// Keeps an answer that is late. @returns false  too many are
  [[nodiscard]] bool hold(const ServiceStrikes& strikes, Frame frame, Clock::time_point now);
  /// How long until the first late answer; empty: there is none.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> wait(Clock::time_point now) const;
  [[nodiscard]] std::optional<Frame> pop(Clock::time_point now);

 private:
  struct Armed {
    FaultId id;
    ServiceFault fault;
    Strike strike;
  };
  struct Late {
    FaultId by;
    Frame frame;
  };

  void tell_of(const Armed& armed, nlohmann::json what) const;

  Tell tell_;
  std::vector<Armed> armed_;
  std::multimap<Clock::time_point, Late> late_;
};

}  // namespace otasim::link
