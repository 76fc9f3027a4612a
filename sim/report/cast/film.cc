#include "sim/report/cast/film.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/json_members.h"
#include "sim/report/cast/layout.h"
#include "sim/report/cast/narration.h"
#include "sim/report/cast/panes.h"
#include "sim/report/cast/scene.h"

namespace otasim::report::cast {
namespace {

/// An operation of the flash is seen so long, all of them together at most so long.
constexpr double kOperationSeconds = 0.004;
constexpr double kOperationsSeconds = 6;

std::string printable(std::string_view text) {
  return to_utf8(display_text(text));
}

std::vector<Beat> beats_of(const RecordedRun& run) {
  std::size_t operations = 0;
  for (const RecordedDevice& device : run.devices) operations += device.changes.size();
  const double operation_s = std::min(
      kOperationSeconds, kOperationsSeconds / static_cast<double>(std::max<std::size_t>(operations, 1)));
  std::vector<Beat> beats;
  beats.reserve(run.moments.size());
  for (const Moment& moment : run.moments) {
    double dwell_s = 0;
    if (moment.kind == Moment::Kind::kEvent) dwell_s = tell(run.events[moment.index]).dwell_s;
    if (moment.kind == Moment::Kind::kFlash) dwell_s = operation_s;
    beats.push_back({moment.t_us, dwell_s});
  }
  return beats;
}

/// As much of each slot as is ever used has to go into the map.
std::uint32_t cell_bytes_of(const RecordedRun& run, int cells) {
  constexpr std::uint32_t kStep = 1024;
  std::uint32_t used = kStep;
  const auto take = [&used](std::uint32_t end) {
    for (const flash::Partition& slot : kShownSlots)
      if (end > slot.offset && end <= slot.end()) used = std::max(used, end - slot.offset);
  };
  for (const RecordedDevice& device : run.devices) {
    for (std::size_t page = 0; page < device.before.pages.size(); ++page)
      if (device.before.pages[page]) take(static_cast<std::uint32_t>((page + 1) * flash::kPageSize));
    for (const FlashChange& change : device.changes)
      if (!change.is_erase) take(change.offset + change.length);
  }
  const auto count = static_cast<std::uint32_t>(std::max(cells, 1));
  const std::uint32_t exact = (used + count - 1) / count;
  return (exact + kStep - 1) / kStep * kStep;
}

class Traffics {
 public:
  Traffics(const RecordedRun& run, const Pace& pace, int columns) {
    const auto count = static_cast<std::size_t>(std::max(columns, 1));
    traffic_ = {.up = std::vector<std::uint64_t>(count),
                .down = std::vector<std::uint64_t>(count),
                .marks = std::vector<char32_t>(count, U' ')};
    for (const Moment& moment : run.moments) {
      const std::size_t column =
          std::min(static_cast<std::size_t>(pace.shown_at(moment.t_us) / std::max(pace.length_s(), 1e-9) *
                                            static_cast<double>(count)),
                   count - 1);
      take(run, moment, column);
    }
  }

  [[nodiscard]] const Traffic& traffic() const { return traffic_; }

 private:
  void take(const RecordedRun& run, const Moment& moment, std::size_t column) {
    constexpr char32_t kBoot = U'\u25B4';
    constexpr char32_t kFault = U'\u25B2';
    if (moment.kind == Moment::Kind::kFrame) {
      const Frame& frame = run.devices[moment.device].frames[moment.index];
      (frame.is_from_device ? traffic_.up : traffic_.down)[column] += frame.bytes;
    } else if (moment.kind == Moment::Kind::kEvent) {
      const std::string source = text_of(run.events[moment.index], "source");
      const std::string kind = text_of(run.events[moment.index], "event");
      if (kind == "fault" && source != "run") traffic_.marks[column] = kFault;
      const bool is_boot = source == "device" && (kind == "power_on" || kind == "reset");
      if (is_boot && traffic_.marks[column] == U' ') traffic_.marks[column] = kBoot;
    }
  }

  Traffic traffic_;
};

class Maker {
 public:
  Maker(const RecordedRun& run, const FilmOptions& options)
      : run_(run),
        layout_(layout_for(options.width, options.height)),
        pace_(beats_of(run), options.pace),
        traffics_(run, pace_, traffic_columns(layout_)),
        scene_(run) {
    film_.width = options.width;
    film_.height = options.height;
    const std::string scenario = text_of(run.result, "scenario");
    film_.title = printable(!options.title.empty() ? options.title : !scenario.empty() ? scenario : "run");
    constexpr std::int64_t kMicroseconds = 1'000'000;
    film_.epoch_s = run.epoch_us / kMicroseconds;
    set_dials(options);
  }

  Film make() {
    const double interval = std::max(1 / kFramesPerSecond, pace_.length_s() / kMostFrames);
    const auto last = static_cast<std::size_t>(std::ceil(pace_.length_s() / interval));
    for (std::size_t tick = 0; tick <= last; ++tick) take_picture(static_cast<double>(tick) * interval);
    const double end = static_cast<double>(last + 1) * interval;
    scene_.end();
    take_picture(end);
    const std::string verdict = scene_.verdict();
    add_marker(end, verdict.empty() ? "no result" : verdict);
    film_.length_s = end + kHoldSeconds;
    return std::move(film_);
  }

 private:
  void set_dials(const FilmOptions& options) {
    dials_.title = film_.title;
    dials_.version = options.version;
    const std::string board = text_of(run_.result, "board");
    const std::string data = text_of(run_.result, "data");
    dials_.where = board.empty() ? "" : data.empty() ? board : fmt::format("{} over {}", board, data);
    dials_.length_us = run_.moments.empty() ? 0 : run_.moments.back().t_us;
    const std::int64_t first_us = run_.moments.empty() ? 0 : run_.moments.front().t_us;
    const double real_s = static_cast<double>(dials_.length_us - first_us) / 1e6;
    dials_.slower = real_s > 0 ? pace_.length_s() / real_s : 1;
    dials_.cell_bytes = cell_bytes_of(run_, slot_cells(layout_));
    dials_.traffic = traffics_.traffic();
  }

  void take_picture(double t_s) {
    for (; next_ < run_.moments.size() && pace_.shown_at(run_.moments[next_].t_us) <= t_s; ++next_)
      apply(run_.moments[next_], t_s);
    dials_.clock_us = pace_.time_at(t_s);
    const double part = pace_.length_s() > 0 ? std::min(t_s / pace_.length_s(), 1.0) : 1.0;
    dials_.columns_past =
        static_cast<std::size_t>(std::ceil(part * static_cast<double>(dials_.traffic.marks.size())));
    FilmFrame frame{t_s, Grid(film_.width, film_.height)};
    draw(scene_, dials_, layout_, frame.picture);
    film_.frames.push_back(std::move(frame));
  }

  void apply(const Moment& moment, double t_s) {
    scene_.apply(moment);
    if (moment.kind == Moment::Kind::kEvent) add_marker(t_s, tell(run_.events[moment.index]).marker);
  }

  void add_marker(double t_s, std::string_view label) {
    if (label.empty() || film_.markers.size() >= kMostMarkers) return;
    film_.markers.push_back({t_s, printable(label)});
  }

  const RecordedRun& run_;
  Layout layout_;
  Pace pace_;
  Traffics traffics_;
  Scene scene_;
  Dials dials_;
  Film film_;
  std::size_t next_ = 0;
};

}  // namespace

Film make_film(const RecordedRun& run, const FilmOptions& options) {
  return Maker(run, options).make();
}

}  // namespace otasim::report::cast
