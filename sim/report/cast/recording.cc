#include "sim/report/cast/recording.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/report/cast/cast_writer.h"
#include "sim/report/cast/recorded_run.h"
#include "sim/report/cast/svg.h"

namespace otasim::report::cast {

namespace fs = std::filesystem;

Result<RecordingKind> kind_of(const std::string& path) {
  const fs::path name = fs::path(path).filename();
  if (name.extension() == ".svg") return RecordingKind::kSvg;
  if (name == "gif-ready" || name.extension() == ".gif-ready") return RecordingKind::kGifReady;
  if (name.extension() == ".cast" || !name.has_extension()) return RecordingKind::kCast;
  return fail(
      ExitCode::kUsage, fmt::format("a recording is no '{}' file: {}", name.extension().string(), path),
      "Name it NAME.cast for asciinema or NAME.svg for a browser. For a GIF record gif-ready, and make\n"
      "it with agg: agg gif-ready.cast NAME.gif");
}

Result<WrittenRecording> write_recording(const std::string& folder, const std::string& path,
                                         const FilmOptions& options) {
  const auto kind = kind_of(path);
  if (!kind) return tl::unexpected(kind.error());
  const auto run = read_recorded_run(folder);
  if (!run) return tl::unexpected(run.error());
  const Film film = make_film(*run, options);
  const std::string to = *kind == RecordingKind::kGifReady ? path + ".cast" : path;
  const std::string text = *kind == RecordingKind::kSvg
                               ? write_svg(film)
                               : write_cast(film, {.markers = *kind != RecordingKind::kGifReady});
  if (auto written = write_file_atomic(to, text); !written) return tl::unexpected(written.error());
  return WrittenRecording{.path = to, .kind = *kind, .length_s = film.length_s, .bytes = text.size()};
}

Result<WrittenRecording> leave_recording(const std::string& folder, const FilmOptions& options) {
  return write_recording(folder, (fs::path(folder) / kCastFile).string(), options);
}

}  // namespace otasim::report::cast
