// Turns a run's events (docs/events.md), in order of time, into a trace; docs/trace.md says what is in it.
//
//   RunTrace run;
//   while (auto event = stream.next()) run.take(*event);
//   run.finish().write(file, about);
//
// Members that are not there or of another type are taken for empty: a log may come from a later otasim, or
// from a run that was ended early. What has begun and not ended, ends with the last event.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/report/trace/device_trace.h"
#include "sim/report/trace/trace_file.h"

namespace otasim::report::trace {

class RunTrace {
 public:
  RunTrace();
  RunTrace(const RunTrace&) = delete;
  RunTrace& operator=(const RunTrace&) = delete;

  void take(const nlohmann::json& event);
  /// Call once, after the last event.
  [[nodiscard]] const TraceFile& finish();

 private:
  struct ArmedFault {
    std::string name;
    std::string device;
    SliceNumber slice;
  };

  void take_run(const nlohmann::json& event, const std::string& kind);
  void begin_step(const std::string& name, const nlohmann::json& event);
  void end_fault(const std::string& name, const std::string& device);
  void take_ports(const nlohmann::json& event);
  void take_cloud(const nlohmann::json& event, const std::string& kind);
  void take_strike(const nlohmann::json& event);
  void take_of_device(const nlohmann::json& event, const std::string& source, const std::string& kind);
  /// The device's part, made when it is first heard of; null if the event names none.
  [[nodiscard]] DeviceTrace* device(const nlohmann::json& event, const char* member);

  TraceFile trace_;
  std::int64_t now_us_ = 0;
  Process run_;
  Lane scenario_;
  Lane faults_;
  Lane cloud_;
  std::optional<SliceNumber> step_ = {};
  std::vector<ArmedFault> armed_ = {};
  std::map<std::string, SliceNumber> created_jobs_ = {};
  DeviceTrace::Ports ports_ = {};
  std::map<std::string, std::unique_ptr<DeviceTrace>> devices_ = {};
};

}  // namespace otasim::report::trace
