#include "sim/broker/message_faults.h"

#include <mosquitto.h>

#include <algorithm>

namespace otasim::broker {

namespace {

bool matches(const MessageMatch& match, const Message& message) {
  if (match.direction && *match.direction != message.direction) return false;
  if (!match.device.empty() && match.device != message.device) return false;
  const std::string filter =
      match.topic.starts_with('$') ? match.topic : "$aws/things/" + message.device + "/" + match.topic;
  bool fits = false;
  return mosquitto_topic_matches_sub(filter.c_str(), message.topic.c_str(), &fits) == MOSQ_ERR_SUCCESS &&
         fits;
}

bool could_strike(const CorruptMessage& corrupt, const Message& message) {
  const auto size = static_cast<std::int64_t>(message.payload.size());
  const std::int64_t left = size - corrupt.truncate_bytes;
  if (left < 0) return false;
  if (corrupt.at_bytes) return *corrupt.at_bytes >= 0 && *corrupt.at_bytes < left;
  return size > 0;
}

template <typename Other>
bool could_strike(const Other&, const Message&) {
  return true;
}

}  // namespace

std::string_view to_string(Direction direction) {
  return direction == Direction::kToDevice ? "to_device" : "from_device";
}

bool is_topic_filter(const std::string& filter) {
  return !filter.empty() && mosquitto_sub_topic_check(filter.c_str()) == MOSQ_ERR_SUCCESS;
}

FaultId MessageFaults::arm(MessageFault fault) {
  return armed_.arm(Armed(std::move(fault)));
}

bool MessageFaults::clear(FaultId id) {
  if (!armed_.clear(id)) return false;
  release(id);
  return true;
}

void MessageFaults::pass(Message message, Forward forward) {
  advance({std::move(message), std::move(forward)}, FaultId{});
}

void MessageFaults::advance(Passing passing, FaultId from) {
  std::vector<FaultId> overtaken;  // faults whose held message comes after this one
  bool goes_on = true;
  for (FaultId id = from; goes_on;) {
    Armed* const armed = armed_.next(id);
    if (armed == nullptr) break;
    if (!matches(armed->fault.match, passing.message)) continue;
    if (const auto* reorder = std::get_if<ReorderMessage>(&armed->fault.what);
        reorder != nullptr && armed->holds) {
      if (++armed->overtaken >= reorder->by) overtaken.push_back(id);
      continue;
    }
    goes_on = meet(id, *armed, passing);
  }
  if (goes_on) passing.forward(passing.message.payload);
  for (const FaultId id : overtaken) release(id);
}

bool MessageFaults::meet(FaultId id, Armed& armed, Passing& passing) {
  // The fault may be cleared before its strike is over.
  const auto what = armed.fault.what;
  return std::visit(
      [&](const auto& fault) {
        if (!could_strike(fault, passing.message) || !armed.strike.next()) return true;
        return strike(fault, id, armed, passing);
      },
      what);
}

bool MessageFaults::strike(const DropMessage& /*drop*/, FaultId /*id*/, Armed& /*armed*/, Passing& passing) {
  report("broker.drop", passing.message);
  return false;
}

bool MessageFaults::strike(const DuplicateMessage& duplicate, FaultId id, Armed& /*armed*/,
                           Passing& passing) {
  report("broker.duplicate", passing.message, {{"copies", duplicate.copies}});
  for (std::uint32_t i = 0; i < duplicate.copies; ++i) advance(passing, id);
  return true;
}

bool MessageFaults::strike(const DelayMessage& delay, FaultId id, Armed& /*armed*/, Passing& passing) {
  report("broker.delay", passing.message, {{"delay_ms", delay.delay_ms}});
  hold(id, std::move(passing), delay.delay_ms);
  return false;
}

bool MessageFaults::strike(const ReorderMessage& reorder, FaultId id, Armed& armed, Passing& passing) {
  report("broker.reorder", passing.message, {{"by", reorder.by}});
  armed.holds = true;
  armed.overtaken = 0;
  hold(id, std::move(passing), reorder.limit_ms);
  return false;
}

bool MessageFaults::strike(const CorruptMessage& corrupt, FaultId /*id*/, Armed& armed, Passing& passing) {
  std::string& payload = passing.message.payload;
  nlohmann::json more = nlohmann::json::object();
  const auto truncate = static_cast<std::size_t>(std::max<std::int64_t>(corrupt.truncate_bytes, 0));
  std::optional<std::size_t> at;
  if (corrupt.at_bytes) {
    at = static_cast<std::size_t>(*corrupt.at_bytes);
  } else if (truncate == 0) {
    at = armed.random() % payload.size();
  }
  if (at) more["at_bytes"] = *at;
  if (truncate > 0) more["truncate_bytes"] = truncate;
  report("broker.corrupt", passing.message, std::move(more));
  if (at) payload[*at] = static_cast<char>(~payload[*at]);
  payload.resize(payload.size() - truncate);
  return true;
}

void MessageFaults::hold(FaultId id, Passing passing, std::int64_t for_ms) {
  held_.emplace(now_without_halts(halt_) + std::chrono::milliseconds(for_ms), Held{id, std::move(passing)});
  set_timer();
}

void MessageFaults::release(FaultId id) {
  if (Armed* const armed = armed_.find(id)) armed->holds = false;
  std::vector<Passing> let_go;
  for (auto at = held_.begin(); at != held_.end();) {
    const auto here = at++;
    if (here->second.by != id) continue;
    let_go.push_back(std::move(here->second.passing));
    held_.erase(here);
  }
  set_timer();
  for (Passing& passing : let_go) advance(std::move(passing), id);
}

void MessageFaults::release_due() {
  const auto now = now_without_halts(halt_);
  while (!held_.empty() && held_.begin()->first <= now) {
    Held held = std::move(held_.extract(held_.begin()).mapped());
    if (Armed* const armed = armed_.find(held.by)) armed->holds = false;
    advance(std::move(held.passing), held.by);
  }
  set_timer();
}

void MessageFaults::lose_held() {
  for (const auto& [when, held] : held_) {
    if (Armed* const armed = armed_.find(held.by)) armed->holds = false;
  }
  held_.clear();
  set_timer();
}

void MessageFaults::set_timer() {
  timer_.cancel();
  if (held_.empty()) return;
  timer_.wait(held_.begin()->first - now_without_halts(halt_), [this] { release_due(); });
}

void MessageFaults::report(const char* name, const Message& message, nlohmann::json more) {
  more.update({{"fault", name},
               {"device", message.device},
               {"direction", to_string(message.direction)},
               {"topic", message.topic},
               {"bytes", message.payload.size()}});
  log_.emit("broker", "fault", std::move(more));
}

}  // namespace otasim::broker
