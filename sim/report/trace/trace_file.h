// A trace in the JSON format that Perfetto (ui.perfetto.dev) and Chrome (chrome://tracing) read.
//
//   TraceFile trace;
//   const Process device = trace.add_process("thing-1");
//   const Lane boot = trace.add_lane(device, "boot");
//   const SliceNumber verify = trace.add_slice({.lane = boot, .name = "verify", .begin_us = 10});
//   trace.end_slice(verify, 25);
//   trace.write(stream);
//
// A reader draws the slices of one thread as a stack, so they must nest there. Slices of a lane may overlap
// in any way: each goes to the first thread of the lane in which it nests, and a lane gets as many threads as
// it needs. An arrow ends in the slice around its point, so each point is given with its slice.
//
// Source: "Trace Event Format", the Chromium project: complete events (X), instants (i), counters (C), flows
// (s, t, f) and metadata (M). Times are microseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "sim/base/json.h"

namespace otasim::report::trace {

enum class Process : std::size_t {};
enum class Lane : std::size_t {};
enum class SliceNumber : std::size_t {};

/// The end of a slice that has none yet.
inline constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::min();

struct Slice {
  Lane lane = {};
  std::string name = {};
  std::int64_t begin_us = 0;
  std::int64_t end_us = kOpen;
  nlohmann::json arguments = nlohmann::json::object();
};

struct Instant {
  Lane lane = {};
  std::string name = {};
  std::int64_t t_us = 0;
  nlohmann::json arguments = nlohmann::json::object();
};

struct Counter {
  Process process = {};
  const char* name = "";
  std::int64_t t_us = 0;
  std::int64_t value = 0;
};

struct ArrowPoint {
  SliceNumber slice = {};
  bool at_end = false;  ///< of the slice, which must have one; else at its begin
};

class TraceFile {
 public:
  /// Processes and lanes stand in the order in which they are added.
  [[nodiscard]] Process add_process(std::string name);
  [[nodiscard]] Lane add_lane(Process process, std::string name);

  /// One that would have no length gets a microsecond.
  SliceNumber add_slice(Slice slice);
  void end_slice(SliceNumber slice, std::int64_t end_us);
  [[nodiscard]] Slice& slice(SliceNumber slice) { return slices_[static_cast<std::size_t>(slice)]; }
  /// Call before write().
  void end_open_slices(std::int64_t end_us);
  void add_instant(Instant instant) { instants_.push_back(std::move(instant)); }
  void add_counter(const Counter& counter) { counters_.push_back(counter); }
  /// Arrows from each of these points to the next one, in order of time; of fewer than two there are none.
  void add_arrows(std::string name, std::vector<ArrowPoint> points);

  /// Metadata first, then everything in order of time, one event a line. @param about  for people:
  /// `otherData`
  void write(std::ostream& out, const nlohmann::json& about) const;

 private:
  struct LaneInfo {
    Process process;
    std::string name;
  };
  struct Arrows {
    std::string name;
    std::vector<ArrowPoint> points;
  };

  /// Within the slice: its end is already outside.
  [[nodiscard]] std::int64_t time_of(const ArrowPoint& point) const;

  struct Threads;
  [[nodiscard]] Threads place_slices() const;

  std::vector<std::string> processes_ = {};
  std::vector<LaneInfo> lanes_ = {};
  std::vector<Slice> slices_ = {};
  std::vector<Instant> instants_ = {};
  std::vector<Counter> counters_ = {};
  std::vector<Arrows> arrows_ = {};
};

}  // namespace otasim::report::trace
