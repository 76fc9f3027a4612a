#include "sim/report/update_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "sim/base/json_members.h"

namespace otasim::report {
namespace {

using nlohmann::json;

constexpr const char* kOneDevice = "device";

std::string device_of(const json& event) {
  const std::string name = text_of(event, "device");
  return name.empty() ? kOneDevice : name;
}

/// Of an event that has not been a text, whole numbers may be signed.
bool is_count(const json& value) {
  return value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
}

bool is_running(const std::string& status) {
  return status == "QUEUED" || status == "IN_PROGRESS";
}

}  // namespace

void UpdateStages::observe(const json& event) {
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (source == "device") {
    observe_device(device_of(event), kind);
  } else if (source == "boot") {
    observe_boot(event, kind);
  } else if (source == "uart" && kind == "line") {
    observe_console(event);
  } else if (source == "cloud" && kind == "job_execution") {
    observe_execution(event);
  } else if (source == "cloud" && kind == "stream_request") {
    observe_served(event);
  } else if (source == "broker" && kind == "client_connected") {
    if (const auto found = devices_.find(text_of(event, "clientId")); found != devices_.end())
      found->second.stage = "connected";
  } else if (source == "run" && kind == "clean_boot") {
    devices_[device_of(event)] = {.stage = "booted on its own", .is_updating = false};
  } else if (source == "run" && (kind == "failed" || kind == "verdict")) {
    has_failed_ = true;
  }
}

void UpdateStages::observe_device(const std::string& name, const std::string& kind) {
  Device& device = devices_[name];
  if (kind == "power_on") device.stage = "starting";
  if (kind == "reset") device.stage = "restarting";
  if (kind == "power_off" || kind == "exit") device.stage = "off";
}

void UpdateStages::observe_boot(const json& event, const std::string& kind) {
  Device& device = devices_[device_of(event)];
  if (kind == "verify") device.stage = fmt::format("bootloader verifies slot {}", text_of(event, "slot"));
  if (kind == "start") device.stage = fmt::format("{} starts", text_of(event, "version"));
  if (kind == "halt") device.stage = "halted";
}

/// "app: receiving 5/45"
void UpdateStages::observe_console(const json& event) {
  unsigned done = 0;
  unsigned total = 0;
  if (std::sscanf(text_of(event, "text").c_str(), "app: receiving %u/%u", &done, &total) == 2)
    receive(devices_[device_of(event)], done, total);
}

void UpdateStages::observe_execution(const json& event) {
  Device& device = devices_[text_of(event, "thing")];
  const std::string status = text_of(event, "status");
  const json& details = object_of(event, "details");
  if (status == "QUEUED") device = {.stage = "offered an update"};
  device.is_updating = is_running(status);
  if (!device.is_updating) device.stage = "update " + status;
  const std::string self_test = text_of(details, "self_test");
  if (self_test == "ready") {
    device.stage = "image verified";
    device.done = device.total;
  }
  if (self_test == "active") device.stage = "self test";
  unsigned done = 0;
  unsigned total = 0;
  if (device.is_updating && std::sscanf(text_of(details, "receive").c_str(), "%u/%u", &done, &total) == 2)
    receive(device, done, total);
}

/// Blocks that the cloud has sent are ahead of what the device has told by a moment.
void UpdateStages::observe_served(const json& event) {
  const auto found = devices_.find(text_of(event, "client"));
  const auto first = event.find("first_block");
  const auto blocks = event.find("blocks");
  if (found == devices_.end() || found->second.total == 0) return;
  if (first == event.end() || blocks == event.end()) return;
  if (!is_count(*first) || !is_count(*blocks)) return;
  receive(found->second, first->get<std::uint64_t>() + blocks->get<std::uint64_t>(), found->second.total);
}

void UpdateStages::receive(Device& device, std::uint64_t done, std::uint64_t total) {
  device.total = total;
  device.done = std::min(std::max(done, device.done), total);
  device.stage = device.done < total ? "downloading" : "verifying";
}

std::optional<Progress::Bar> UpdateStages::bar() const {
  Progress::Bar bar{.unit = "blocks", .has_failed = has_failed_};
  std::map<std::string, std::size_t> stages;
  std::string name;
  for (const auto& [device, state] : devices_) {
    if (!state.is_updating && devices_.size() > 1) continue;
    bar.done += state.done;
    bar.total += state.total;
    ++stages[state.stage];
    name = device;
  }
  if (stages.empty() || stages.begin()->first.empty()) return std::nullopt;
  const bool is_one = stages.size() == 1 && stages.begin()->second == 1;
  if (is_one && devices_.size() > 1) bar.text = name + ": ";
  if (is_one) {
    bar.text += stages.begin()->first;
    return bar;
  }
  for (const auto& [stage, count] : stages) {
    if (!bar.text.empty()) bar.text += ", ";
    bar.text += fmt::format("{} {}", count, stage);
  }
  return bar;
}

}  // namespace otasim::report
