#include "sim/report/trace/run_trace.h"

#include <algorithm>

#include "sim/base/json_members.h"

namespace otasim::report::trace {
namespace {

using nlohmann::json;

json arguments_of(json event) {
  for (const char* member : {"t_us", "n", "source", "event", "log_version", "epoch_us"}) event.erase(member);
  return event;
}

/// A fault of the plan names its device among its arguments.
std::string device_of_fault(const json& event) {
  const auto arguments = event.find("arguments");
  return arguments == event.end() ? "" : text_of(*arguments, "device");
}

}  // namespace

RunTrace::RunTrace()
    : run_(trace_.add_process("run")),
      scenario_(trace_.add_lane(run_, "scenario")),
      faults_(trace_.add_lane(run_, "faults")),
      cloud_(trace_.add_lane(run_, "cloud")) {}

DeviceTrace* RunTrace::device(const json& event, const char* member) {
  const std::string name = text_of(event, member);
  if (name.empty()) return nullptr;
  auto& entry = devices_[name];
  if (!entry) entry = std::make_unique<DeviceTrace>(trace_, name, ports_);
  return entry.get();
}

void RunTrace::take(const json& event) {
  if (!event.is_object()) return;
  now_us_ = std::max(now_us_, integer_member(event, "t_us").value_or(now_us_));
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (source == "lab" && kind == "ports") return take_ports(event);
  if (source == "run") return take_run(event, kind);
  if (kind == "fault") return take_strike(event);
  if (source == "cloud") return take_cloud(event, kind);
  if (source == "broker") {
    trace_.add_instant({cloud_, "broker: " + kind, now_us_, arguments_of(event)});
    return;
  }
  take_of_device(event, source, kind);
}

void RunTrace::take_ports(const json& event) {
  for (const char* name : {"mqtt", "https", "jobs", "alpn"}) {
    if (const auto port = integer_member(event, name); port) ports_[*port] = name;
  }
}

void RunTrace::take_run(const json& event, const std::string& kind) {
  if (kind == "do") {
    begin_step(text_of(event, "step"), event);
  } else if (kind == "clean_boot") {
    begin_step("clean boot of " + text_of(event, "device"), event);
  } else if (kind == "fault") {
    const std::string name = text_of(event, "fault");
    const SliceNumber slice = trace_.add_slice(
        {.lane = faults_, .name = name, .begin_us = now_us_, .arguments = arguments_of(event)});
    armed_.push_back({name, device_of_fault(event), slice});
  } else if (kind == "fault_over") {
    end_fault(text_of(event, "fault"), device_of_fault(event));
  } else if (const std::string what = text_of(event, "text"); !what.empty()) {
    trace_.add_instant({scenario_, what, now_us_});
  }
}

/// A step lasts until the next one.
void RunTrace::begin_step(const std::string& name, const json& event) {
  if (step_) trace_.end_slice(*step_, now_us_);
  step_ = trace_.add_slice(
      {.lane = scenario_, .name = name, .begin_us = now_us_, .arguments = arguments_of(event)});
}

/// Of several with one name, the one that was armed first.
void RunTrace::end_fault(const std::string& name, const std::string& device) {
  const auto found = std::ranges::find_if(armed_, [&](const ArmedFault& fault) {
    return fault.name == name && (device.empty() || fault.device == device);
  });
  if (found == armed_.end()) return;
  trace_.end_slice(found->slice, now_us_);
  armed_.erase(found);
}

void RunTrace::take_strike(const json& event) {
  if (DeviceTrace* const struck = device(event, "device")) return struck->take_strike(event, now_us_);
  trace_.add_instant({faults_, text_of(event, "fault"), now_us_, arguments_of(event)});
}

void RunTrace::take_cloud(const json& event, const std::string& kind) {
  if (kind == "job_created") {
    const std::string job = text_of(event, "job");
    created_jobs_.insert_or_assign(job, trace_.add_slice({.lane = cloud_,
                                                          .name = "create " + job,
                                                          .begin_us = now_us_,
                                                          .end_us = now_us_,
                                                          .arguments = arguments_of(event)}));
  } else if (kind == "job_execution") {
    DeviceTrace* const of = device(event, "thing");
    if (of == nullptr) return;
    const auto created = created_jobs_.find(text_of(event, "job"));
    of->take_execution(event, now_us_,
                       created == created_jobs_.end() ? std::nullopt : std::optional(created->second));
  } else if (kind == "mqtt_request" || kind == "stream_request") {
    if (DeviceTrace* const of = device(event, "client")) of->take_request(kind, event, now_us_);
  } else if (kind == "object_request" && devices_.size() == 1) {
    // The request does not say whose it is; of one device it is that one's.
    devices_.begin()->second->take_request(kind, event, now_us_);
  } else {
    trace_.add_instant({cloud_, kind, now_us_, arguments_of(event)});
  }
}

void RunTrace::take_of_device(const json& event, const std::string& source, const std::string& kind) {
  DeviceTrace* const of = device(event, "device");
  if (of == nullptr) return;
  if (source == "device") return of->take_device(event, kind, now_us_);
  if (source == "boot") return of->take_boot(event, kind, now_us_);
  if (source == "uart") return of->take_line(event, now_us_);
  if (source == "flash" && kind == "operation") return of->take_operation(event, now_us_);
  if (source == "link" && kind == "frame") return of->take_frame(event, now_us_);
  of->take_link(event, source == "link" ? kind : source + ": " + kind, now_us_);
}

const TraceFile& RunTrace::finish() {
  for (auto& [name, of] : devices_) of->finish();
  trace_.end_open_slices(now_us_);
  return trace_;
}

}  // namespace otasim::report::trace
