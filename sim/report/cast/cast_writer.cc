#include "sim/report/cast/cast_writer.h"

#include <fmt/format.h>

#include "sim/base/json.h"
#include "sim/report/cast/screen.h"

namespace otasim::report::cast {
namespace {

using nlohmann::json;

std::string header_of(const Film& film) {
  json header{{"version", 2},
              {"width", film.width},
              {"height", film.height},
              {"title", film.title},
              {"env", {{"TERM", "xterm-256color"}, {"SHELL", "/bin/sh"}}}};
  if (film.epoch_s > 0) header["timestamp"] = film.epoch_s;
  return header.dump() + '\n';
}

std::string line_of(double t_s, std::string_view code, const std::string& data) {
  return fmt::format("[{:.6g},\"{}\",{}]\n", t_s, code, json(data).dump());
}

}  // namespace

std::string write_cast(const Film& film, const CastOptions& options) {
  std::string cast = header_of(film);
  Screen screen;
  std::size_t marker = 0;
  for (const FilmFrame& frame : film.frames) {
    const std::string text = screen.update(frame.picture);
    if (!text.empty()) cast += line_of(frame.t_s, "o", text);
    for (; marker < film.markers.size() && film.markers[marker].t_s <= frame.t_s; ++marker)
      if (options.markers) cast += line_of(frame.t_s, "m", film.markers[marker].label);
  }
  if (!film.frames.empty()) cast += line_of(film.length_s, "o", Screen::leave(film.frames.back().picture));
  return cast;
}

}  // namespace otasim::report::cast
