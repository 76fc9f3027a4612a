#include "sim/scenario/update_observer.h"

#include <array>
#include <string_view>

#include "sim/lab/boot_console.h"

namespace otasim::scenario {
namespace {

constexpr std::array<std::string_view, 6> kTerminal{"SUCCEEDED", "FAILED",    "REJECTED",
                                                    "CANCELED",  "TIMED_OUT", "REMOVED"};

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What the demo application says; another one's transfer begins with the first block that is served.
bool is_job_received(std::string_view line) {
  return line.starts_with("app: job ") && line.find(" received, ") != std::string_view::npos;
}

}  // namespace

UpdateObserver::UpdateObserver(std::string thing, std::string last_line)
    : thing_(std::move(thing)), last_line_(std::move(last_line)), last_line_seen_(last_line_.empty()) {}

UpdateObserver::Next UpdateObserver::observe(const nlohmann::json& event) {
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  const std::int64_t now_ms = event.value("t_us", std::int64_t{0}) / 1000;
  if (source == "device" && kind == "power_on") {
    if (power_on_ms_ < 0) power_on_ms_ = now_ms;
  } else if (source == "broker" && kind == "client_connected") {
    if (outcome_.boot_to_connected_ms == 0) outcome_.boot_to_connected_ms = now_ms - power_on_ms_;
  } else if (source == "uart" && kind == "line") {
    return observe_console(text_of(event, "text"), now_ms);
  } else if (source == "cloud" && kind == "mqtt_request") {
    return observe_request(event);
  } else if (source == "cloud" && kind == "stream_request") {
    return observe_blocks(event, now_ms);
  } else if (source == "cloud" && kind == "object_request") {
    return observe_object(event, now_ms);
  } else if (source == "cloud" && kind == "job_execution") {
    return observe_execution(event, now_ms);
  }
  return Next::kNothing;
}

UpdateObserver::Next UpdateObserver::observe_console(const std::string& line, std::int64_t now_ms) {
  if (!line.empty()) last_console_line_ = line;
  if (is_job_received(line)) begin_transfer(now_ms);
  if (std::string version = lab::started_version(line); !version.empty()) {
    outcome_.running_version = std::move(version);
    outcome_.running_slot = lab::started_slot(line);
    last_line_seen_ = last_line_.empty();  // what an earlier boot said does not count
  }
  // The console may be ahead of the cloud: the broker acknowledges the device's last word before the cloud
  // has read it.
  if (!last_line_.empty() && line.find(last_line_) != std::string::npos) last_line_seen_ = true;
  return end_if_complete();
}

UpdateObserver::Next UpdateObserver::observe_request(const nlohmann::json& event) {
  const std::string jobs = "$aws/things/" + thing_ + "/jobs/";
  const std::string topic = text_of(event, "topic");
  if (is_offered_ || (topic != jobs + "$next/get" && topic != jobs + "start-next")) return Next::kNothing;
  is_offered_ = true;
  return Next::kOfferUpdate;
}

UpdateObserver::Next UpdateObserver::observe_blocks(const nlohmann::json& event, std::int64_t now_ms) {
  begin_transfer(now_ms);
  blocks_ += event.value("blocks", std::uint64_t{0});
  return Next::kShowProgress;
}

UpdateObserver::Next UpdateObserver::observe_object(const nlohmann::json& event, std::int64_t now_ms) {
  begin_transfer(now_ms);
  bytes_ += event.value("bytes", std::uint64_t{0});
  return Next::kShowProgress;
}

void UpdateObserver::begin_transfer(std::int64_t now_ms) {
  if (transfer_start_ms_ < 0) transfer_start_ms_ = now_ms;
}

UpdateObserver::Next UpdateObserver::observe_execution(const nlohmann::json& event, std::int64_t now_ms) {
  outcome_.job_id = text_of(event, "job");
  outcome_.status = text_of(event, "status");
  const nlohmann::json details = event.value("details", nlohmann::json::object());
  outcome_.reason = text_of(details, "reason");
  if (text_of(details, "self_test") == "ready" && outcome_.transfer_ms == 0) {
    outcome_.transfer_ms = now_ms - transfer_start_ms_;
  }
  for (const std::string_view status : kTerminal) {
    if (outcome_.status != status) continue;
    is_over_ = true;
    outcome_.wall_ms = now_ms - power_on_ms_;
    // Only a device that updated itself has a last line to say.
    if (status != "SUCCEEDED") last_line_seen_ = true;
  }
  return end_if_complete();
}

UpdateObserver::Next UpdateObserver::end_if_complete() const {
  return is_over_ && last_line_seen_ ? Next::kEnd : Next::kNothing;
}

}  // namespace otasim::scenario
