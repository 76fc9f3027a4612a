// Faults of the broker: messages, connections, the broker itself (sim/broker/message_faults.h).
#include <fmt/format.h>

#include "sim/broker/message_faults.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

constexpr double kMaxMs = 600'000;
constexpr double kMaxPayload = 131'072;
constexpr std::string_view kCounted = "messages that match";

std::vector<Member> message_members(std::vector<Member> more) {
  std::vector<Member> members{
      choice_member("direction", {"to_device", "from_device"}, "Which way (default: both)"),
      text_member("topic", "MQTT filter; below $aws/things/<device>/ unless it begins with $ (default: #)")};
  members.insert(members.end(), more.begin(), more.end());
  return members;
}

template <typename What>
Result<Undo> arm(Stage& stage, const FaultArguments& arguments, What what) {
  broker::MessageFault fault{.what = what, .strike = arguments.strike()};
  fault.match.device = arguments.named_device();
  fault.match.topic = arguments.get("topic", fault.match.topic);
  if (!broker::is_topic_filter(fault.match.topic)) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is no MQTT topic filter", fault.match.topic));
  }
  if (const auto direction = arguments.find<std::string>("direction")) {
    fault.match.direction =
        *direction == "to_device" ? broker::Direction::kToDevice : broker::Direction::kFromDevice;
  }
  auto& faults = stage.lab().message_faults();
  const FaultId id = faults.arm(std::move(fault));
  return Undo([&faults, id] { faults.clear(id); });
}

std::vector<FaultKind> message_faults() {
  return {
      {.name = "broker.drop",
       .doc = "A message is lost; one of QoS 1 is acknowledged all the same.",
       .counted = kCounted,
       .members = message_members({}),
       .begin = [](Stage& stage,
                   const FaultArguments& arguments) { return arm(stage, arguments, broker::DropMessage{}); }},
      {.name = "broker.duplicate",
       .doc = "A message comes again.",
       .counted = kCounted,
       .members = message_members({integer_member("copies", 1, 100, "So many times (default: 1)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             broker::DuplicateMessage what;
             what.copies = arguments.get("copies", what.copies);
             return arm(stage, arguments, what);
           }},
      {.name = "broker.delay",
       .doc = "A message comes late.",
       .counted = kCounted,
       .members = message_members({integer_member("delay_ms", 0, kMaxMs, "By so much (default: 0)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             broker::DelayMessage what;
             what.delay_ms = arguments.get("delay_ms", what.delay_ms);
             return arm(stage, arguments, what);
           }},
      {.name = "broker.reorder",
       .doc = "A message is overtaken by later ones.",
       .counted = "messages that match, while none is held",
       .members =
           message_members({integer_member("by", 1, 1000, "By so many (default: 1)"),
                            integer_member("limit_ms", 1, kMaxMs, "Held so long at most (default: 1000)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             broker::ReorderMessage what;
             what.by = arguments.get("by", what.by);
             what.limit_ms = arguments.get("limit_ms", what.limit_ms);
             return arm(stage, arguments, what);
           }},
      {.name = "broker.corrupt",
       .doc = "A byte of a message's payload is inverted, or its end is missing.",
       .counted = "messages that match and are long enough",
       .members = message_members(
           {integer_member("at_bytes", 0, kMaxPayload, "Which byte (default: by the seed)"),
            integer_member("truncate_bytes", 0, kMaxPayload, "Missing at the end (default: 0)")}),
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             broker::CorruptMessage what;
             what.at_bytes = arguments.find<std::int64_t>("at_bytes");
             what.truncate_bytes = arguments.get("truncate_bytes", what.truncate_bytes);
             return arm(stage, arguments, what);
           }},
  };
}

std::vector<FaultKind> connection_faults() {
  return {
      {.name = "broker.kick",
       .doc = "The device's connection is closed.",
       .counted = "",
       .members = {},
       .begin = [](Stage& stage, const FaultArguments& arguments) -> Result<Undo> {
         stage.lab().kick(arguments.device());
         return Undo{};
       }},
      {.name = "broker.duplicate_client",
       .doc = "Another client takes the device's connection over, and goes.",
       .counted = "",
       .members = {integer_member("hold_ms", 0, kMaxMs, "After so long (default: 0)")},
       .begin = [](Stage& stage, const FaultArguments& arguments) -> Result<Undo> {
         const auto told_by_events = [](const Result<broker::SecondClient::End>&) {};
         stage.lab().connect_second_client(arguments.device(), arguments.get("hold_ms", std::int64_t{0}),
                                           told_by_events);
         return Undo{};
       }},
      {.name = "broker.down",
       .doc = "The broker is gone; it is back when the fault is cleared.",
       .counted = "",
       .members = {},
       .begin = [](Stage& stage, const FaultArguments&) -> Result<Undo> {
         if (auto down = stage.lab().take_broker_down(); !down) return tl::unexpected(down.error());
         return Undo([&stage] { stage.bring_broker_up(); });
       }},
      {.name = "broker.restart",
       .doc = "The broker ends, and is started again on the same port.",
       .counted = "",
       .members = {integer_member("down_ms", 0, kMaxMs, "After so long (default: 0)")},
       .begin = [](Stage& stage, const FaultArguments& arguments) -> Result<Undo> {
         stage.restart_broker(arguments.get("down_ms", std::int64_t{0}));
         return Undo{};
       }},
  };
}

}  // namespace

std::vector<FaultKind> broker_faults() {
  std::vector<FaultKind> all = message_faults();
  const std::vector<FaultKind> connections = connection_faults();
  all.insert(all.end(), connections.begin(), connections.end());
  return all;
}

}  // namespace otasim::scenario
