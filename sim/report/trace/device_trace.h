// One device's part of a run's trace: its lanes, what is open on them, and its counters.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/json.h"
#include "sim/report/trace/trace_file.h"

namespace otasim::report::trace {

/// A sum that is drawn as a counter, at most once a millisecond.
class Total {
 public:
  Total(Process process, const char* name) : process_(process), name_(name) {}
  void add(TraceFile& trace, std::int64_t t_us, std::int64_t amount);
  /// Draws what has come since.
  void finish(TraceFile& trace);

 private:
  Process process_;
  const char* name_;
  std::int64_t value_ = 0;
  std::int64_t changed_us_ = 0;
  std::optional<std::int64_t> drawn_us_ = {};
  bool is_drawn_ = true;
};

class DeviceTrace {
 public:
  /// What is spoken on the lab's ports ("mqtt", "https").
  using Ports = std::map<std::int64_t, std::string>;

  /// @param ports  outlives this; filled by others
  DeviceTrace(TraceFile& trace, const std::string& name, const Ports& ports);

  // Each takes the events of one source that concern this device.
  void take_device(const nlohmann::json& event, const std::string& kind, std::int64_t t_us);
  void take_boot(const nlohmann::json& event, const std::string& kind, std::int64_t t_us);
  void take_operation(const nlohmann::json& event, std::int64_t t_us);
  void take_frame(const nlohmann::json& event, std::int64_t t_us);
  void take_link(const nlohmann::json& event, const std::string& kind, std::int64_t t_us);
  void take_line(const nlohmann::json& event, std::int64_t t_us);
  void take_request(const std::string& kind, const nlohmann::json& event, std::int64_t t_us);
  void take_strike(const nlohmann::json& event, std::int64_t t_us);
  /// @param created  the slice of the job's creation, if it is known
  void take_execution(const nlohmann::json& event, std::int64_t t_us, std::optional<SliceNumber> created);
  void finish();

 private:
  struct Connection {
    SliceNumber slice = {};
    std::int64_t from_device_bytes = 0;
    std::int64_t to_device_bytes = 0;
    bool is_closing = false;  ///< one side has said that it is done
  };
  /// Operations of one kind in one partition, close after each other.
  struct Burst {
    SliceNumber slice = {};
    std::string kind;
    std::string partition;
    std::int64_t last_us = 0;
    std::int64_t operations = 0;
    std::int64_t bytes = 0;
    std::int64_t failed = 0;
  };
  struct Execution {
    SliceNumber whole = {};
    SliceNumber state = {};
    std::string state_name = {};
    bool is_received = false;  ///< the device works on it
  };

  void end(std::optional<SliceNumber>& slice, std::int64_t t_us);
  void lose_power(std::int64_t t_us, const char* how);
  void end_connection(Connection& connection, std::int64_t t_us, const char* how);
  void enter_state(Execution& execution, const std::string& name, const nlohmann::json& event,
                   std::int64_t t_us);
  void begin_way(const std::string& job, std::optional<SliceNumber> created, SliceNumber received);
  void end_way();
  [[nodiscard]] static bool is_image(const Burst& burst);
  [[nodiscard]] Lane lane_of_port(std::int64_t port) const;

  TraceFile& trace_;
  const Ports& ports_;
  Process process_;
  Lane boot_;
  Lane job_;
  Lane mqtt_;
  Lane http_;
  Lane link_;
  Lane flash_;
  Lane faults_;
  Lane console_;
  std::optional<SliceNumber> power_ = {};
  std::optional<SliceNumber> starting_ = {};     ///< from reset to the application's start
  std::optional<SliceNumber> application_ = {};  ///< from there to the next reset
  std::optional<std::int64_t> reset_us_ = {};    ///< the bootloader has not said anything since
  std::int64_t boot_stage_us_ = 0;               ///< when the bootloader's last stage was done
  std::map<std::pair<std::int64_t, std::int64_t>, Connection> connections_ = {};  ///< by both ports
  std::optional<Burst> burst_ = {};
  std::map<std::string, Execution> executions_ = {};  ///< by job
  // The arrows of the update under way: from the job's creation to the slot switch.
  std::string way_job_ = {};
  std::vector<ArrowPoint> way_ = {};
  std::optional<SliceNumber> image_written_ = {};  ///< its last burst so far
  Total to_device_;
  Total from_device_;
  Total programs_;
  Total erases_;
  Total served_;
};

}  // namespace otasim::report::trace
