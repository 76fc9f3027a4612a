// A run as a row of pictures: what cast files and drawings are made from.
//
//   const Film film = make_film(*read_recorded_run(folder), {.title = "..."});
//
// Pictures come at a fixed rate, at most kFramesPerSecond and kMostFrames in all; times are those of the
// run's events, put through a Pace, and have nothing to do with when the film is made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/cast/cells.h"
#include "sim/report/cast/pace.h"
#include "sim/report/cast/recorded_run.h"

namespace otasim::report::cast {

inline constexpr int kDefaultWidth = 100;
inline constexpr int kDefaultHeight = 30;
inline constexpr double kFramesPerSecond = 10;
inline constexpr double kMostFrames = 900;
inline constexpr std::size_t kMostMarkers = 200;
/// The last picture stays so long.
inline constexpr double kHoldSeconds = 3;

struct FilmOptions {
  int width = kDefaultWidth;
  int height = kDefaultHeight;
  PaceOptions pace = {};
  std::string title = {};    ///< empty: the scenario's name, if the run tells it
  std::string version = {};  ///< otasim's
};

struct FilmFrame {
  double t_s;
  Grid picture;
};

struct FilmMarker {
  double t_s;
  std::string label;  ///< printable
};

struct Film {
  int width = 0;
  int height = 0;
  std::string title;  ///< printable
  std::int64_t epoch_s = 0;
  double length_s = 0;  ///< with the last picture's time
  std::vector<FilmFrame> frames;
  std::vector<FilmMarker> markers;
};

[[nodiscard]] Film make_film(const RecordedRun& run, const FilmOptions& options);

}  // namespace otasim::report::cast
