#include "sim/report/trace/trace_file.h"
#include "sim/base/stable_sort.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

namespace otasim::report::trace {
namespace {

using nlohmann::json;

/// Threads of a lane have the numbers from (lane + 1) * kThreadsPerLane on.
constexpr std::size_t kThreadsPerLane = 1000;

/// Text from a device may be anything.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::size_t pid_of(Process process) {
  return static_cast<std::size_t>(process) + 1;
}

std::size_t tid_of(Lane lane, std::size_t thread) {
  return (static_cast<std::size_t>(lane) + 1) * kThreadsPerLane + thread;
}

/// One thread's slices that have not ended, each within the one before.
class OpenSlices {
 public:
  /// @returns whether the slice nests in those that are open at its begin
  [[nodiscard]] bool take(const Slice& slice) {
    while (!ends_.empty() && ends_.back() <= slice.begin_us) ends_.pop_back();
    if (!ends_.empty() && slice.end_us > ends_.back()) return false;
    ends_.push_back(slice.end_us);
    return true;
  }

 private:
  std::vector<std::int64_t> ends_ = {};
};

/// What is written for an event, and where: of one moment slices come before what points into them, the
/// longer ones first.
struct Line {
  std::int64_t t_us = 0;
  std::int64_t longer_first = 0;
  json event = {};
};

}  // namespace

struct TraceFile::Threads {
  std::vector<std::size_t> of_slice = {};  ///< by slice
  std::vector<std::size_t> of_lane = {};   ///< how many
};

Process TraceFile::add_process(std::string name) {
  processes_.push_back(std::move(name));
  return Process{processes_.size() - 1};
}

Lane TraceFile::add_lane(Process process, std::string name) {
  lanes_.push_back({process, std::move(name)});
  return Lane{lanes_.size() - 1};
}

SliceNumber TraceFile::add_slice(Slice slice) {
  if (slice.end_us != kOpen) slice.end_us = std::max(slice.end_us, slice.begin_us + 1);
  slices_.push_back(std::move(slice));
  return SliceNumber{slices_.size() - 1};
}

void TraceFile::end_slice(SliceNumber number, std::int64_t end_us) {
  Slice& ended = slice(number);
  ended.end_us = std::max(end_us, ended.begin_us + 1);
}

void TraceFile::end_open_slices(std::int64_t end_us) {
  for (Slice& open : slices_) {
    if (open.end_us == kOpen) open.end_us = std::max(end_us, open.begin_us + 1);
  }
}

std::int64_t TraceFile::time_of(const ArrowPoint& point) const {
  const Slice& slice = slices_[static_cast<std::size_t>(point.slice)];
  return point.at_end ? slice.end_us - 1 : slice.begin_us;
}

void TraceFile::add_arrows(std::string name, std::vector<ArrowPoint> points) {
  constexpr std::size_t kEnds = 2;
  if (points.size() < kEnds) return;
  otasim::stable_sort(points, {}, [this](const ArrowPoint& point) { return time_of(point); });
  arrows_.push_back({std::move(name), std::move(points)});
}

TraceFile::Threads TraceFile::place_slices() const {
  std::vector<std::size_t> order(slices_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  otasim::stable_sort(order, {},
                      [this](std::size_t i) { return std::pair(slices_[i].begin_us, -slices_[i].end_us); });
  std::vector<std::vector<OpenSlices>> open(lanes_.size(), std::vector<OpenSlices>(1));
  Threads threads{.of_slice = std::vector<std::size_t>(slices_.size())};
  for (const std::size_t i : order) {
    auto& lane = open[static_cast<std::size_t>(slices_[i].lane)];
    std::size_t thread = 0;
    // A new thread takes any slice.
    while (!lane[thread].take(slices_[i])) {
      if (++thread == lane.size()) lane.emplace_back();
    }
    threads.of_slice[i] = thread;
  }
  for (const auto& lane : open) threads.of_lane.push_back(lane.size());
  return threads;
}

void TraceFile::write(std::ostream& out, const json& about) const {
  const Threads threads = place_slices();
  const char* separator = "\n";
  const auto write_event = [&](const json& event) {
    out << separator << dump(event);
    separator = ",\n";
  };
  const auto write_name = [&](const char* what, std::size_t pid, std::size_t tid, const json& arguments) {
    write_event({{"ph", "M"}, {"name", what}, {"pid", pid}, {"tid", tid}, {"ts", 0}, {"args", arguments}});
  };
  out << R"({"displayTimeUnit":"ms","otherData":)" << dump(about) << R"(,"traceEvents":[)";
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    write_name("process_name", pid_of(Process{i}), 0, {{"name", processes_[i]}});
    write_name("process_sort_index", pid_of(Process{i}), 0, {{"sort_index", i}});
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::size_t pid = pid_of(lanes_[i].process);
    for (std::size_t thread = 0; thread < threads.of_lane[i]; ++thread) {
      const std::size_t tid = tid_of(Lane{i}, thread);
      const std::string& name = lanes_[i].name;
      write_name("thread_name", pid, tid,
                 {{"name", thread == 0 ? name : fmt::format("{} ({})", name, thread + 1)}});
      write_name("thread_sort_index", pid, tid, {{"sort_index", tid}});
    }
  }

  std::vector<Line> lines;
  const auto place_of = [&](Lane lane, std::size_t thread) {
    return json{{"pid", pid_of(lanes_[static_cast<std::size_t>(lane)].process)},
                {"tid", tid_of(lane, thread)}};
  };
  const auto add_line = [&](std::int64_t t_us, std::int64_t longer_first, json place, json event) {
    event.update(place);
    event["ts"] = t_us;
    lines.push_back({t_us, longer_first, std::move(event)});
  };
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    const Slice& slice = slices_[i];
    const std::int64_t length_us = slice.end_us - slice.begin_us;
    add_line(slice.begin_us, -length_us, place_of(slice.lane, threads.of_slice[i]),
             {{"ph", "X"}, {"name", slice.name}, {"dur", length_us}, {"args", slice.arguments}});
  }
  for (const Instant& instant : instants_) {
    add_line(instant.t_us, 0, place_of(instant.lane, 0),
             {{"ph", "i"}, {"s", "t"}, {"name", instant.name}, {"args", instant.arguments}});
  }
  for (const Counter& counter : counters_) {
    add_line(counter.t_us, 0, {{"pid", pid_of(counter.process)}, {"tid", 0}},
             {{"ph", "C"}, {"name", counter.name}, {"args", {{"value", counter.value}}}});
  }
  for (std::size_t i = 0; i < arrows_.size(); ++i) {
    const Arrows& arrows = arrows_[i];
    for (std::size_t at = 0; at < arrows.points.size(); ++at) {
      const auto number = static_cast<std::size_t>(arrows.points[at].slice);
      const char* const phase = at == 0 ? "s" : at + 1 == arrows.points.size() ? "f" : "t";
      json event{{"ph", phase}, {"cat", "update"}, {"name", arrows.name}, {"id", i + 1}};
      if (at != 0) event["bp"] = "e";  // in the slice around it, not in the next one
      add_line(time_of(arrows.points[at]), 0, place_of(slices_[number].lane, threads.of_slice[number]),
               std::move(event));
    }
  }
  otasim::stable_sort(lines, {}, [](const Line& line) { return std::pair(line.t_us, line.longer_first); });
  for (const Line& line : lines) write_event(line.event);
  out << "\n]}\n";
}

}  // namespace otasim::report::trace
