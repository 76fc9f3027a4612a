#include "sim/report/cast/scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "sim/base/json_members.h"

namespace otasim::report::cast {
namespace {

using nlohmann::json;

constexpr char32_t kFaultMark = U'\u25B2';
constexpr char32_t kDoneMark = U'\u2713';
constexpr char32_t kFailedMark = U'\u2717';

struct Count {
  std::int64_t done;
  std::int64_t total;
};

/// "5/45", at the begin of a text.
std::optional<Count> read_count(std::string_view text) {
  Count count{};
  const char* const end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, count.done);
  if (done.ec != std::errc() || done.ptr == end || *done.ptr != '/') return std::nullopt;
  const auto total = std::from_chars(done.ptr + 1, end, count.total);
  if (total.ec != std::errc() || count.total <= 0 || count.done < 0 || count.done > count.total)
    return std::nullopt;
  return count;
}

void take_count(SceneDevice& device, std::string_view text) {
  const auto count = read_count(text);
  if (!count) return;
  device.done = count->total == device.total ? std::max(device.done, count->done) : count->done;
  device.total = count->total;
}

bool lasts(const std::string& fault) {
  return fault.starts_with("link.") || fault.starts_with("broker.") || fault.starts_with("cloud.");
}

}  // namespace

Scene::Scene(const RecordedRun& run) : run_(run) {
  for (const RecordedDevice& recorded : run.devices) {
    SceneDevice& one = devices_.emplace_back(SceneDevice{.name = recorded.name});
    one.flash.pages = recorded.before.pages;
    one.flash.versions = recorded.before.versions;
    one.flash.record = recorded.before.record;
  }
}

void Scene::apply(const Moment& moment) {
  switch (moment.kind) {
    case Moment::Kind::kEvent:
      return apply_event(run_.events[moment.index], moment.t_us);
    case Moment::Kind::kFlash:
      return apply_flash(devices_[moment.device], run_.devices[moment.device].changes[moment.index]);
    case Moment::Kind::kFrame: {
      const Frame& frame = run_.devices[moment.device].frames[moment.index];
      SceneDevice& one = devices_[moment.device];
      (frame.is_from_device ? one.bytes_up : one.bytes_down) += frame.bytes;
      return;
    }
  }
}

void Scene::end() {
  is_over_ = true;
  const std::string came_of_it = verdict();
  if (came_of_it.empty()) return;
  const bool passed = came_of_it == "passed";
  const json& failures = run_.result.contains("failures") ? run_.result.at("failures") : json();
  const std::string first = failures.is_array() && !failures.empty() && failures[0].is_string()
                                ? failures[0].get<std::string>()
                                : "";
  caption_ = passed ? Told{.caption = "Passed: all that was expected has come, and every invariant holds.",
                           .ink = Ink::kGood}
                    : Told{.caption = "Failed: " + first, .ink = Ink::kBad};
}

std::string Scene::verdict() const {
  return text_of(run_.result, "result");
}

SceneDevice& Scene::device(const std::string& name) {
  const auto found = std::ranges::find(devices_, name, &SceneDevice::name);
  return found != devices_.end() ? *found : devices_.emplace_back(SceneDevice{.name = name});
}

void Scene::apply_event(const json& event, std::int64_t t_us) {
  if (Told told = tell(event); !told.caption.empty()) caption_ = std::move(told);
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (source == "uart") return apply_console(event, t_us);
  if (kind.starts_with("fault")) return apply_fault(event, kind, t_us);
  if (source == "device") return apply_power(event, kind, t_us);
  if (source == "broker") return apply_client(event, kind);
  if (kind == "job_execution") return apply_execution(event, t_us);
  if (source == "link" && kind == "dhcp_ack") {
    device(text_of(event, "device")).address = text_of(event, "address");
  } else if (source == "boot" && kind == "start") {
    SceneDevice& one = device(text_of(event, "device"));
    one.version = text_of(event, "version");
    one.slot = text_of(event, "slot");
    one.state = text_of(event, "state");
  } else if (source == "run" && kind == "progress" && !devices_.empty()) {
    devices_.front().done = integer_member(event, "done").value_or(0);
    devices_.front().total = integer_member(event, "total").value_or(0);
  }
}

void Scene::apply_console(const json& event, std::int64_t t_us) {
  std::string text = text_of(event, "text");
  const std::string name = text_of(event, "device");
  // What the demo application says of its progress is finer than what it tells the cloud.
  constexpr std::string_view kReceiving = "app: receiving ";
  if (text.starts_with(kReceiving))
    take_count(device(name), std::string_view(text).substr(kReceiving.size()));
  add_line({.t_us = t_us, .device = name, .text = std::move(text)});
}

void Scene::apply_power(const json& event, const std::string& kind, std::int64_t t_us) {
  SceneDevice& one = device(text_of(event, "device"));
  const bool is_reset = kind == "reset";
  if (kind == "power_on") {
    one.is_on = true;
    one.board = text_of(event, "board");
  } else if (kind == "power_off" || kind == "exit") {
    one.is_on = false;
  } else if (!is_reset) {
    return;
  }
  one.version.clear();
  one.address.clear();
  one.is_connected = false;
  const std::string what = is_reset              ? text_of(event, "cause") + " reset"
                           : kind == "power_on"  ? "power on"
                           : kind == "power_off" ? "power off"
                                                 : text_of(event, "message");
  add_line({.t_us = t_us, .device = one.name, .text = what, .is_rule = true});
}

void Scene::apply_client(const json& event, const std::string& kind) {
  const auto found = std::ranges::find(devices_, text_of(event, "clientId"), &SceneDevice::name);
  if (found == devices_.end()) return;
  const std::int64_t connection = integer_member(event, "connection").value_or(0);
  if (kind == "client_connected") {
    found->is_connected = true;
    found->connection = connection;
  }
  // The end of one that was taken over is told when the next one stands.
  if (kind == "client_disconnected" && connection == found->connection) found->is_connected = false;
}

void Scene::apply_execution(const json& event, std::int64_t t_us) {
  const std::string status = text_of(event, "status");
  const std::string thing = text_of(event, "thing");
  const json& details = object_of(event, "details");
  const std::string reason = text_of(details, "reason");
  const std::string test = text_of(details, "self_test");
  const std::string received = text_of(details, "receive");
  job_ = text_of(event, "job");
  std::string text = devices_.size() > 1 ? thing + ' ' : "";
  SceneDevice& one = device(thing);
  if (status == "QUEUED") {
    one.done = one.total = 0;
    return add_entry({.t_us = t_us, .text = text + status, .ink = Ink::kCloud});
  }
  if (status != "IN_PROGRESS") {
    const bool is_good = status == "SUCCEEDED";
    return add_entry({.t_us = t_us,
                      .text = text + status + (reason.empty() ? "" : ": " + reason),
                      .ink = is_good ? Ink::kGood : Ink::kBad,
                      .bullet = is_good ? kDoneMark : kFailedMark});
  }
  if (!received.empty()) {
    take_count(one, received);
    text += "receiving";
  } else if (!test.empty()) {
    if (test == "ready") one.done = one.total;
    text += "self test " + test;
  } else {
    text += status;
  }
  add_entry({.t_us = t_us, .text = std::move(text), .ink = Ink::kCloud});
}

void Scene::apply_fault(const json& event, const std::string& kind, std::int64_t t_us) {
  const std::string name = text_of(event, "fault");
  const auto known = std::ranges::find(faults_, name);
  if (kind != "fault") {
    if (known != faults_.end()) faults_.erase(known);
    return;
  }
  if (known == faults_.end() && lasts(name)) faults_.push_back(name);
  if (text_of(event, "source") == "run") return;  // armed: it has not struck
  add_entry({.t_us = t_us, .text = name, .ink = Ink::kFault, .bullet = kFaultMark});
}

void Scene::apply_flash(SceneDevice& device, const FlashChange& change) {
  SceneFlash& flash = device.flash;
  ++(change.is_erase ? flash.erases : flash.programs);
  const std::size_t first = change.offset / flash::kPageSize;
  const std::size_t last = (std::size_t{change.offset} + change.length - 1) / flash::kPageSize;
  for (std::size_t page = first; page <= last && page < flash.pages.size(); ++page)
    flash.pages[page] = !change.is_erase;
  flash.last_page = static_cast<std::int64_t>(first);
  flash.last_is_erase = change.is_erase;
  if (change.has_record) flash.record = change.record;
  if (change.slot >= 0) flash.versions[static_cast<std::size_t>(change.slot)] = change.version;
}

void Scene::add_line(ConsoleLine line) {
  console_.push_back(std::move(line));
  if (console_.size() > kMostLines) console_.pop_front();
}

/// A device may tell the same several times: its progress above all, which the bar shows.
void Scene::add_entry(TimelineEntry entry) {
  if (!timeline_.empty() && timeline_.back().text == entry.text && timeline_.back().ink == entry.ink) return;
  timeline_.push_back(std::move(entry));
  if (timeline_.size() > kMostEntries) timeline_.pop_front();
}

}  // namespace otasim::report::cast
