// Faults of the virtual Ethernet, and of the DHCP, name and time servers on it (sim/link/fault.h).
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

#include "sim/link/fault.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

namespace faults = link::faults;

constexpr double kMaxMs = 60'000;

/// `service` names a port by what is behind it: a lab's ports are any free ones.
std::uint16_t port_of(Stage& stage, const FaultArguments& arguments) {
  const std::string service = arguments.get<std::string>("service", "");
  if (service == "mqtt") return stage.lab().mqtt_port();
  if (service == "http") return stage.lab().https_port();
  return 0;
}

link::FrameMatch match_of(Stage& stage, const FaultArguments& arguments) {
  link::FrameMatch match;
  const std::string direction = arguments.get<std::string>("direction", "both");
  if (direction == "to_device") match.direction = link::Direction::kToDevice;
  if (direction == "from_device") match.direction = link::Direction::kFromDevice;
  const std::string protocol = arguments.get<std::string>("protocol", "any");
  if (protocol == "tcp") match.protocol = link::Protocol::kTcp;
  if (protocol == "udp") match.protocol = link::Protocol::kUdp;
  match.tcp_port = port_of(stage, arguments);
  return match;
}

Result<link::Ipv4Address> address_of(const FaultArguments& arguments, const char* name,
                                     link::Ipv4Address otherwise) {
  const auto text = arguments.find<std::string>(name);
  if (!text) return otherwise;
  std::array<std::uint8_t, 4> bytes{};
  if (inet_pton(AF_INET, text->c_str(), bytes.data()) != 1) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is '{}', which is no IPv4 address", name, *text));
  }
  return link::ipv4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

Result<Undo> arm(Stage& stage, const FaultArguments& arguments, const link::LinkFault& fault) {
  lab::LabDevice& device = stage.device(arguments.device());
  const auto link = device.link();
  if (!link) return tl::unexpected(link.error());
  const auto id = (*link)->arm(fault);
  if (!id) return tl::unexpected(id.error());
  return Undo([&device, id = *id] {
    if (const auto now = device.link()) (*now)->clear(id);
  });
}

std::vector<Member> frame_members() {
  return {choice_member("direction", {"to_device", "from_device", "both"}, "Which way (default: both)"),
          choice_member("protocol", {"any", "tcp", "udp"}, "Which frames (default: any, ARP as well)"),
          choice_member("service", {"mqtt", "http"}, "Only TCP frames of this service")};
}

std::vector<Member> with(std::vector<Member> members, std::vector<Member> more) {
  members.insert(members.end(), more.begin(), more.end());
  return members;
}

Member service_member() {
  return choice_member("service", {"mqtt", "http"}, "Only connections to this service");
}

Member delay_member() {
  return integer_member("delay_ms", 0, kMaxMs, "How late (default: 0)");
}

std::vector<FaultKind> frame_faults() {
  return {
      {.name = "link.loss",
       .doc = "Frames are lost.",
       .counted = "frames",
       .members = frame_members(),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        faults::Loss{.match = match_of(stage, arguments), .strike = arguments.strike()});
           }},
      {.name = "link.duplicate",
       .doc = "Frames come twice.",
       .counted = "frames",
       .members = frame_members(),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        faults::Duplicate{.match = match_of(stage, arguments), .strike = arguments.strike()});
           }},
      {.name = "link.corrupt",
       .doc = "One bit of a frame is inverted; no checksum is repaired.",
       .counted = "frames",
       .members = frame_members(),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        faults::Corrupt{.match = match_of(stage, arguments), .strike = arguments.strike()});
           }},
      {.name = "link.reorder",
       .doc = "A frame is overtaken by later ones.",
       .counted = "frames, while none is held",
       .members = with(frame_members(),
                       {integer_member("by", 1, 1000, "By so many (default: 1)"),
                        integer_member("hold_ms", 1, kMaxMs, "Held so long at most (default: 200)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             faults::Reorder reorder{.match = match_of(stage, arguments), .strike = arguments.strike()};
             reorder.by = arguments.get("by", reorder.by);
             reorder.hold_ms = arguments.get("hold_ms", reorder.hold_ms);
             return arm(stage, arguments, reorder);
           }},
      {.name = "link.latency",
       .doc = "Every frame takes longer, in order.",
       .counted = "",
       .members = with(frame_members(),
                       {integer_member("latency_ms", 0, kMaxMs, "One way (default: 0)"),
                        integer_member("jitter_ms", 0, kMaxMs, "And up to so much more (default: 0)"),
                        integer_member("seed", 0, 1e18, "Of the jitter (default: 1)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             faults::Latency latency{.match = match_of(stage, arguments)};
             latency.latency_ms = arguments.get("latency_ms", latency.latency_ms);
             latency.jitter_ms = arguments.get("jitter_ms", latency.jitter_ms);
             latency.seed = arguments.get("seed", latency.seed);
             return arm(stage, arguments, latency);
           }},
      {.name = "link.rate",
       .doc = "The wire is slow.",
       .counted = "",
       .members = with(frame_members(),
                       {integer_member("bits_per_second", 1000, 1e9, "In each direction (required)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments,
                        faults::Rate{.match = match_of(stage, arguments),
                                     .bits_per_second = arguments.get("bits_per_second", std::uint64_t{0})});
           }},
      {.name = "link.blackhole",
       .doc = "Nothing passes, and nobody is told.",
       .counted = "",
       .members = frame_members(),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments, faults::Blackhole{.match = match_of(stage, arguments)});
           }},
  };
}

std::vector<FaultKind> flow_faults() {
  return {
      {.name = "link.half_open",
       .doc = "The TCP connections there are go dead without a word; new ones work.",
       .counted = "",
       .members = {service_member()},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments, faults::HalfOpen{.tcp_port = port_of(stage, arguments)});
           }},
      {.name = "link.reset",
       .doc = "The TCP connections there are are reset at both ends, once.",
       .counted = "",
       .members = {service_member()},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm(stage, arguments, faults::Reset{.tcp_port = port_of(stage, arguments)});
           }},
  };
}

template <typename Missing, typename Late>
void add_missing_and_late(std::vector<FaultKind>& kinds, std::string_view missing_doc,
                          std::string_view late_doc, std::string_view counted) {
  kinds.push_back({.name = Missing::kName,
                   .doc = missing_doc,
                   .counted = counted,
                   .members = {},
                   .begin = [](Stage& stage, const FaultArguments& arguments) {
                     return arm(stage, arguments, link::ServiceFault{Missing{.strike = arguments.strike()}});
                   }});
  kinds.push_back({.name = Late::kName,
                   .doc = late_doc,
                   .counted = counted,
                   .members = {delay_member()},
                   .begin = [](Stage& stage, const FaultArguments& arguments) {
                     return arm(
                         stage, arguments,
                         link::ServiceFault{Late{.strike = arguments.strike(),
                                                 .delay_ms = arguments.get("delay_ms", std::uint32_t{0})}});
                   }});
}

Result<Undo> forge_dhcp(Stage& stage, const FaultArguments& arguments) {
  faults::DhcpForged forged{.strike = arguments.strike()};
  for (auto [name, address] :
       {std::pair{"address", &forged.address}, std::pair{"router", &forged.router},
        std::pair{"name_server", &forged.name_server}, std::pair{"time_server", &forged.time_server}}) {
    const auto given = address_of(arguments, name, *address);
    if (!given) return tl::unexpected(given.error());
    *address = *given;
  }
  return arm(stage, arguments, link::ServiceFault{forged});
}

Result<Undo> forge_dns(Stage& stage, const FaultArguments& arguments) {
  faults::DnsForged forged{.strike = arguments.strike()};
  const auto address = address_of(arguments, "address", forged.address);
  if (!address) return tl::unexpected(address.error());
  forged.address = *address;
  forged.ttl_s = arguments.get("ttl_s", forged.ttl_s);
  return arm(stage, arguments, link::ServiceFault{forged});
}

std::vector<FaultKind> service_faults() {
  std::vector<FaultKind> kinds;
  add_missing_and_late<faults::DhcpMissing, faults::DhcpLate>(
      kinds, "No DHCP server answers.", "The DHCP server answers late.", "DHCP messages");
  kinds.push_back({.name = faults::DhcpForged::kName,
                   .doc = "An attacker's DHCP server answers first.",
                   .counted = "DHCP messages",
                   .members = {text_member("address", "That the device is to take (default: the right one)"),
                               text_member("router", "Default: 10.0.2.66, where nobody is"),
                               text_member("name_server", "Default: 10.0.2.66"),
                               text_member("time_server", "Default: 10.0.2.66")},
                   .begin = forge_dhcp});
  add_missing_and_late<faults::DnsMissing, faults::DnsLate>(kinds, "The name server does not answer.",
                                                            "The name server answers late.", "queries");
  kinds.push_back({.name = faults::DnsForged::kName,
                   .doc = "Every name has an attacker's address.",
                   .counted = "queries",
                   .members = {text_member("address", "Default: 10.0.2.66, where nobody is"),
                               integer_member("ttl_s", 0, 86'400, "How long it may be kept (default: 0)")},
                   .begin = forge_dns});
  kinds.push_back({.name = faults::DnsNxdomain::kName,
                   .doc = "No name exists.",
                   .counted = "queries",
                   .members = {},
                   .begin = [](Stage& stage, const FaultArguments& arguments) {
                     return arm(stage, arguments,
                                link::ServiceFault{faults::DnsNxdomain{.strike = arguments.strike()}});
                   }});
  add_missing_and_late<faults::SntpMissing, faults::SntpLate>(kinds, "The time server does not answer.",
                                                              "The time server answers late.", "requests");
  kinds.push_back({.name = faults::SntpForged::kName,
                   .doc = "The time server tells a wrong time.",
                   .counted = "requests",
                   .members = {integer_member("offset_s", -4e9, 4e9, "Ahead by so much (default: 0)")},
                   .begin = [](Stage& stage, const FaultArguments& arguments) {
                     return arm(stage, arguments,
                                link::ServiceFault{faults::SntpForged{
                                    .strike = arguments.strike(),
                                    .offset_s = arguments.get("offset_s", std::int64_t{0})}});
                   }});
  return kinds;
}

}  // namespace

std::vector<FaultKind> link_faults() {
  std::vector<FaultKind> all;
  for (const auto& part : {frame_faults(), flow_faults(), service_faults()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace otasim::scenario
