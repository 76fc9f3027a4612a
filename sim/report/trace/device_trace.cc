#include "sim/report/trace/device_trace.h"

#include <fmt/format.h>

#include "sim/base/json_members.h"

namespace otasim::report::trace {
namespace {

using nlohmann::json;

constexpr std::int64_t kCounterPeriodUs = 1000;
/// Operations that are farther apart are two bursts.
constexpr std::int64_t kBurstGapUs = 5000;
/// Of a frame's flags.
constexpr std::string_view kSyn = "syn";
constexpr std::string_view kFin = "fin";
constexpr std::string_view kReset = "rst";

std::int64_t number(const json& event, const char* member) {
  return integer_member(event, member).value_or(0);
}

bool has_flag(const json& event, std::string_view flag) {
  return text_of(event, "flags").find(flag) != std::string::npos;
}

/// What the event tells beyond what every event does.
json arguments_of(json event) {
  for (const char* member : {"t_us", "n", "source", "event", "device", "log_version", "epoch_us"})
    event.erase(member);
  return event;
}

/// "$aws/things/lamp/jobs/u1/update" is told without its beginning.
std::string short_topic(const std::string& topic) {
  constexpr std::string_view kThings = "$aws/things/";
  if (!topic.starts_with(kThings)) return topic;
  const std::size_t end = topic.find('/', kThings.size());
  return end == std::string::npos ? topic : topic.substr(end + 1);
}

}  // namespace

void Total::add(TraceFile& trace, std::int64_t t_us, std::int64_t amount) {
  value_ += amount;
  changed_us_ = t_us;
  is_drawn_ = false;
  if (!drawn_us_ || t_us - *drawn_us_ >= kCounterPeriodUs) finish(trace);
}

void Total::finish(TraceFile& trace) {
  if (is_drawn_) return;
  trace.add_counter({.process = process_, .name = name_, .t_us = changed_us_, .value = value_});
  drawn_us_ = changed_us_;
  is_drawn_ = true;
}

DeviceTrace::DeviceTrace(TraceFile& trace, const std::string& name, const Ports& ports)
    : trace_(trace),
      ports_(ports),
      process_(trace.add_process(name)),
      boot_(trace.add_lane(process_, "boot")),
      job_(trace.add_lane(process_, "job")),
      mqtt_(trace.add_lane(process_, "mqtt")),
      http_(trace.add_lane(process_, "http")),
      link_(trace.add_lane(process_, "link")),
      flash_(trace.add_lane(process_, "flash")),
      faults_(trace.add_lane(process_, "faults")),
      console_(trace.add_lane(process_, "console")),
      to_device_(process_, "link: bytes to the device"),
      from_device_(process_, "link: bytes from the device"),
      programs_(process_, "flash: programs"),
      erases_(process_, "flash: erases"),
      served_(process_, "update: blocks served") {}

void DeviceTrace::end(std::optional<SliceNumber>& slice, std::int64_t t_us) {
  if (slice) trace_.end_slice(*slice, t_us);
  slice.reset();
}

void DeviceTrace::take_device(const json& event, const std::string& kind, std::int64_t t_us) {
  if (kind == "power_on") {
    lose_power(t_us, "power on again");
    power_ = trace_.add_slice(
        {.lane = boot_, .name = "power", .begin_us = t_us, .arguments = arguments_of(event)});
    reset_us_ = t_us;
  } else if (kind == "reset") {
    end(application_, t_us);
    end(starting_, t_us);
    reset_us_ = t_us;
    trace_.add_instant({boot_, fmt::format("reset, {}", text_of(event, "cause")), t_us, arguments_of(event)});
  } else if (kind == "power_off" || kind == "exit") {
    lose_power(t_us, kind == "exit" ? "the device went off" : "power off");
    trace_.add_instant({boot_, kind == "exit" ? "went off" : "power off", t_us, arguments_of(event)});
  }
}

void DeviceTrace::lose_power(std::int64_t t_us, const char* how) {
  end(application_, t_us);
  end(starting_, t_us);
  end(power_, t_us);
  for (auto& [ports, connection] : connections_) end_connection(connection, t_us, how);
  connections_.clear();
}

void DeviceTrace::take_boot(const json& event, const std::string& kind, std::int64_t t_us) {
  if (kind == "reset") {
    end(application_, t_us);
    end(starting_, t_us);
    starting_ = trace_.add_slice({.lane = boot_,
                                  .name = "bootloader",
                                  .begin_us = reset_us_.value_or(t_us),
                                  .arguments = arguments_of(event)});
    reset_us_.reset();
  } else if (kind == "start") {
    end(starting_, t_us);
    application_ = trace_.add_slice({.lane = boot_,
                                     .name = fmt::format("{} from slot {}, {}", text_of(event, "version"),
                                                         text_of(event, "slot"), text_of(event, "state")),
                                     .begin_us = t_us,
                                     .arguments = arguments_of(event)});
    if (text_of(event, "state") == "trial" && !way_.empty()) way_.push_back({*application_});
  } else {
    // A stage begins where the one before has ended, and is told when it is done.
    const std::string slot = text_of(event, "slot");
    const SliceNumber stage = trace_.add_slice({.lane = boot_,
                                                .name = slot.empty() ? kind : kind + " slot " + slot,
                                                .begin_us = starting_ ? boot_stage_us_ : t_us,
                                                .end_us = t_us,
                                                .arguments = arguments_of(event)});
    if ((kind == "commit" || kind == "reject") && !way_.empty()) {
      way_.push_back({stage});
      end_way();
    }
  }
  boot_stage_us_ = t_us;
}

void DeviceTrace::take_operation(const json& event, std::int64_t t_us) {
  const std::string kind = text_of(event, "kind");
  const std::string partition = text_of(event, "partition");
  const bool is_further = burst_ && burst_->kind == kind && burst_->partition == partition &&
                          t_us - burst_->last_us <= kBurstGapUs;
  if (!is_further) {
    const SliceNumber slice = trace_.add_slice({.lane = flash_,
                                                .name = fmt::format("{} {}", kind, partition),
                                                .begin_us = t_us,
                                                .end_us = t_us,
                                                .arguments = {{"writer", text_of(event, "writer")}}});
    burst_ = Burst{.slice = slice, .kind = kind, .partition = partition};
    if (is_image(*burst_) && !way_.empty()) image_written_ = slice;
  }
  burst_->last_us = t_us;
  ++burst_->operations;
  burst_->bytes += number(event, "length_bytes");
  if (text_of(event, "result") != "ok") ++burst_->failed;
  trace_.end_slice(burst_->slice, t_us);
  json& arguments = trace_.slice(burst_->slice).arguments;
  arguments["operations"] = burst_->operations;
  arguments["bytes"] = burst_->bytes;
  if (burst_->failed != 0) arguments["failed"] = burst_->failed;
  if (kind == "program") programs_.add(trace_, t_us, 1);
  if (kind == "erase") erases_.add(trace_, t_us, 1);
}

Lane DeviceTrace::lane_of_port(std::int64_t port) const {
  const auto found = ports_.find(port);
  if (found == ports_.end()) return link_;
  return found->second == "mqtt" ? mqtt_ : http_;
}

void DeviceTrace::take_frame(const json& event, std::int64_t t_us) {
  const bool is_from_device = text_of(event, "direction") == "from_device";
  const std::int64_t bytes = number(event, "length_bytes");
  (is_from_device ? from_device_ : to_device_).add(trace_, t_us, bytes);
  if (text_of(event, "protocol") != "tcp") return;
  const std::pair ports(number(event, "device_port"), number(event, "host_port"));
  auto found = connections_.find(ports);
  if (is_from_device && has_flag(event, kSyn) && !has_flag(event, kFin)) {
    if (found != connections_.end()) end_connection(found->second, t_us, "port used again");
    const auto spoken = ports_.find(ports.second);
    const SliceNumber slice = trace_.add_slice(
        {.lane = lane_of_port(ports.second),
         .name = fmt::format("{} connection", spoken == ports_.end() ? "tcp" : spoken->second),
         .begin_us = t_us,
         .arguments = {{"device_port", ports.first}, {"host_port", ports.second}}});
    found = connections_.insert_or_assign(ports, Connection{.slice = slice}).first;
  }
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  (is_from_device ? connection.from_device_bytes : connection.to_device_bytes) +=
      number(event, "payload_bytes");
  const bool is_reset = has_flag(event, kReset);
  const bool is_fin = has_flag(event, kFin);
  if (is_reset || (is_fin && connection.is_closing)) {
    end_connection(connection, t_us, is_reset ? "reset" : "closed");
    connections_.erase(found);
  } else if (is_fin) {
    connection.is_closing = true;
  }
}

void DeviceTrace::end_connection(Connection& connection, std::int64_t t_us, const char* how) {
  trace_.end_slice(connection.slice, t_us);
  json& arguments = trace_.slice(connection.slice).arguments;
  arguments["end"] = how;
  arguments["bytes_from_device"] = connection.from_device_bytes;
  arguments["bytes_to_device"] = connection.to_device_bytes;
}

void DeviceTrace::take_link(const json& event, const std::string& kind, std::int64_t t_us) {
  trace_.add_instant({link_, kind, t_us, arguments_of(event)});
}

void DeviceTrace::take_line(const json& event, std::int64_t t_us) {
  trace_.add_instant({console_, text_of(event, "text"), t_us});
}

void DeviceTrace::take_request(const std::string& kind, const json& event, std::int64_t t_us) {
  if (kind == "mqtt_request") {
    trace_.add_instant({mqtt_, short_topic(text_of(event, "topic")), t_us, arguments_of(event)});
  } else if (kind == "stream_request") {
    trace_.add_instant({mqtt_,
                        fmt::format("blocks {} to {}", number(event, "first_block"),
                                    number(event, "first_block") + number(event, "blocks") - 1),
                        t_us, arguments_of(event)});
    served_.add(trace_, t_us, number(event, "blocks"));
  } else {
    trace_.add_instant({http_,
                        fmt::format("GET {} from byte {}: {}", text_of(event, "key"),
                                    number(event, "first_byte"), number(event, "status")),
                        t_us, arguments_of(event)});
  }
}

void DeviceTrace::take_strike(const json& event, std::int64_t t_us) {
  trace_.add_instant({faults_, text_of(event, "fault"), t_us, arguments_of(event)});
}

void DeviceTrace::take_execution(const json& event, std::int64_t t_us, std::optional<SliceNumber> created) {
  const std::string job = text_of(event, "job");
  const std::string status = text_of(event, "status");
  auto found = executions_.find(job);
  if (found == executions_.end()) {
    const SliceNumber whole = trace_.add_slice({.lane = job_, .name = job, .begin_us = t_us});
    found = executions_.emplace(job, Execution{.whole = whole}).first;
  }
  Execution& execution = found->second;
  const std::string self_test = text_of(object_of(event, "details"), "self_test");
  enter_state(execution, self_test.empty() ? status : fmt::format("{}, self test {}", status, self_test),
              event, t_us);
  if (status == "IN_PROGRESS" && !execution.is_received) {
    execution.is_received = true;
    begin_way(job, created, execution.state);
  }
  if (status == "QUEUED" || status == "IN_PROGRESS") return;
  trace_.end_slice(execution.state, t_us);
  trace_.end_slice(execution.whole, t_us + 1);  // around the last state, which is over at once
  trace_.slice(execution.whole).arguments = {{"status", status}};
  executions_.erase(found);
}

void DeviceTrace::enter_state(Execution& execution, const std::string& name, const json& event,
                              std::int64_t t_us) {
  if (execution.state_name == name) return;
  if (!execution.state_name.empty()) trace_.end_slice(execution.state, t_us);
  execution.state_name = name;
  execution.state =
      trace_.add_slice({.lane = job_, .name = name, .begin_us = t_us, .arguments = arguments_of(event)});
}

bool DeviceTrace::is_image(const Burst& burst) {
  return burst.kind == "program" && burst.partition.starts_with("slot");
}

void DeviceTrace::begin_way(const std::string& job, std::optional<SliceNumber> created,
                            SliceNumber received) {
  end_way();
  way_job_ = job;
  if (created) way_.push_back({*created});
  way_.push_back({received});
  // The first blocks may have been written before the cloud was told.
  if (burst_ && is_image(*burst_)) image_written_ = burst_->slice;
}

void DeviceTrace::end_way() {
  if (image_written_ && !way_.empty()) way_.push_back({*image_written_, /*at_end=*/true});
  trace_.add_arrows(way_job_, std::move(way_));
  way_.clear();
  image_written_.reset();
}

void DeviceTrace::finish() {
  end_way();
  for (Total* total : {&to_device_, &from_device_, &programs_, &erases_, &served_}) total->finish(trace_);
}

}  // namespace otasim::report::trace
