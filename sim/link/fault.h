// What may go wrong on the link on purpose.
//
//   const auto id = link->arm(faults::Loss{.match = {.direction = Direction::kToDevice},
//                                          .strike = {.probability = 0.03, .seed = 7}});
//   ...
//   link->clear(*id);
//
// Each fault has a name, `name_of()`, which its events carry, and plain members with defaults. Three kinds:
// frame faults strike frames on their way between device and host; flow faults strike the TCP connections
// that exist when they are armed; service faults strike what the link's own DHCP, name and time servers
// answer. Armed frame faults act one after the other, in the order of arming. docs/faults.md says of
// each what is counted and what the device sees.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "sim/base/result.h"
#include "sim/base/strike.h"
#include "sim/link/ethernet.h"
#include "sim/link/lab_network.h"

namespace otasim::link {

enum class Direction : std::uint8_t { kToDevice, kFromDevice, kBoth };
enum class Protocol : std::uint8_t { kAny, kTcp, kUdp };

/// Which frames a fault is about.
struct FrameMatch {
  Direction direction = Direction::kBoth;
  Protocol protocol = Protocol::kAny;  ///< kAny: ARP as well
  std::uint16_t tcp_port = 0;          ///< TCP frames of this port of the host only; 0: all
};

/// Handed out by Link::arm(); never 0, never the same one twice.
enum class FaultId : std::uint64_t {};

namespace faults {

inline constexpr std::uint32_t kMaxLatencyMs = 60'000;
inline constexpr std::uint32_t kMaxReorderBy = 1'000;
/// Where an attacker would be: nobody is there, and nothing answers.
inline constexpr Ipv4Address kAttackerAddress = ipv4(10, 0, 2, 66);

/// A struck frame is lost.
struct Loss {
  static constexpr std::string_view kName = "link.loss";
  FrameMatch match{};
  StrikePlan strike{};
};

/// A struck frame comes twice, the copy right behind it.
struct Duplicate {
  static constexpr std::string_view kName = "link.duplicate";
  FrameMatch match{};
  StrikePlan strike{};
};

/// One bit of a struck frame, behind the Ethernet header, is inverted. No checksum is repaired.
struct Corrupt {
  static constexpr std::string_view kName = "link.corrupt";
  FrameMatch match{};
  StrikePlan strike{};  ///< its seed decides which bit, too
};

/// A struck frame is held until `by` further ones of its direction that match have passed it, or for
/// `hold_ms`. Meanwhile no other one of that direction is struck.
struct Reorder {
  static constexpr std::string_view kName = "link.reorder";
  FrameMatch match{};
  StrikePlan strike{};
  std::uint32_t by = 1;
  std::uint32_t hold_ms = 200;
};

/// Every frame takes `latency_ms` longer, and up to `jitter_ms` more. Frames of a direction stay in order, as
/// in a router's queue: one that was delayed long delays those behind it.
struct Latency {
  static constexpr std::string_view kName = "link.latency";
  FrameMatch match{};
  std::uint32_t latency_ms = 0;
  std::uint32_t jitter_ms = 0;
  std::uint64_t seed = 1;
};

/// Frames go one after the other at this rate, in each direction by itself.
struct Rate {
  static constexpr std::string_view kName = "link.rate";
  FrameMatch match{};
  std::uint64_t bits_per_second = 0;
};

/// Nothing passes, and nobody is told.
struct Blackhole {
  static constexpr std::string_view kName = "link.blackhole";
  FrameMatch match{};
};

/// Frames of the TCP connections that exist at arming are lost, in both directions; new ones work.
struct HalfOpen {
  static constexpr std::string_view kName = "link.half_open";
  std::uint16_t tcp_port = 0;  ///< connections to this port of the host only; 0: all
};

/// The TCP connections that exist at arming are reset at both ends, once.
struct Reset {
  static constexpr std::string_view kName = "link.reset";
  std::uint16_t tcp_port = 0;  ///< connections to this port of the host only; 0: all
};

/// The lab's DHCP server does not answer.
struct DhcpMissing {
  static constexpr std::string_view kName = "dhcp.missing";
  StrikePlan strike{};
};

struct DhcpLate {
  static constexpr std::string_view kName = "dhcp.late";
  StrikePlan strike{};
  std::uint32_t delay_ms = 0;
};

/// An attacker answers DISCOVER with an offer, and any REQUEST with an acknowledgement, before the lab does.
struct DhcpForged {
  static constexpr std::string_view kName = "dhcp.forged";
  StrikePlan strike{};
  Ipv4Address address = kDeviceAddress;  ///< that the device is to take
  Ipv4Address router = kAttackerAddress;
  Ipv4Address name_server = kAttackerAddress;
  Ipv4Address time_server = kAttackerAddress;
};

/// The name server does not answer.
struct DnsMissing {
  static constexpr std::string_view kName = "dns.missing";
  StrikePlan strike{};
};

struct DnsLate {
  static constexpr std::string_view kName = "dns.late";
  StrikePlan strike{};
  std::uint32_t delay_ms = 0;
};

/// Every name has this address.
struct DnsForged {
  static constexpr std::string_view kName = "dns.forged";
  StrikePlan strike{};
  Ipv4Address address = kAttackerAddress;
  std::uint32_t ttl_s = 0;  ///< how long the device may keep it
};

/// No name exists.
struct DnsNxdomain {
  static constexpr std::string_view kName = "dns.nxdomain";
  StrikePlan strike{};
};

/// The time server does not answer.
struct SntpMissing {
  static constexpr std::string_view kName = "sntp.missing";
  StrikePlan strike{};
};

struct SntpLate {
  static constexpr std::string_view kName = "sntp.late";
  StrikePlan strike{};
  std::uint32_t delay_ms = 0;
};

/// The time is wrong by `offset_s`; positive is ahead.
struct SntpForged {
  static constexpr std::string_view kName = "sntp.forged";
  StrikePlan strike{};
  std::int64_t offset_s = 0;
};

}  // namespace faults

using FrameFault = std::variant<faults::Loss, faults::Duplicate, faults::Corrupt, faults::Reorder,
                                faults::Latency, faults::Rate, faults::Blackhole>;
using ServiceFault = std::variant<faults::DhcpMissing, faults::DhcpLate, faults::DhcpForged,
                                  faults::DnsMissing, faults::DnsLate, faults::DnsForged, faults::DnsNxdomain,
                                  faults::SntpMissing, faults::SntpLate, faults::SntpForged>;
using LinkFault = std::variant<FrameFault, faults::HalfOpen, faults::Reset, ServiceFault>;

/// "link.loss" and so on.
[[nodiscard]] std::string_view name_of(const LinkFault& fault);

/// @returns kUsage if a member's value makes no sense; the message names fault and member
[[nodiscard]] Result<void> check(const LinkFault& fault);

}  // namespace otasim::link
