// The recording of a run, as a file: what `otasim run` leaves and `otasim record` writes.
//
//   leave_recording(folder, options);                         // demo.cast in the run's folder
//   write_recording(folder, "x.svg", options);                // what the name says
//
// A file is what its name says: `.svg` an animated drawing; `gif-ready`, or a name ending in `.gif-ready`, a
// cast for tools that make GIFs, under that name with `.cast` behind it; `.cast`, or a name without an
// ending, a cast. The run's events are all it takes, so it can be made as long as the folder is there.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"
#include "sim/report/cast/film.h"

namespace otasim::report::cast {

/// In a run's folder.
inline constexpr const char* kCastFile = "demo.cast";

enum class RecordingKind : std::uint8_t { kCast, kSvg, kGifReady };
/// @returns kUsage for a name of another kind of file
[[nodiscard]] Result<RecordingKind> kind_of(const std::string& path);

struct WrittenRecording {
  std::string path;
  RecordingKind kind = RecordingKind::kCast;
  double length_s = 0;
  std::size_t bytes = 0;
};

/// @returns kEnvironment  the run's events cannot be read, or the file cannot be written
///          kUsage        the event log is of a later version, or the name is of no such file
[[nodiscard]] Result<WrittenRecording> write_recording(const std::string& folder, const std::string& path,
                                                       const FilmOptions& options);
[[nodiscard]] Result<WrittenRecording> leave_recording(const std::string& folder, const FilmOptions& options);

}  // namespace otasim::report::cast
