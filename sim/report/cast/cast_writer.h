// A film as an asciicast, version 2: a header and one JSON array a line (docs.asciinema.org, "asciicast v2").
//
// "o" events hold what a terminal is to be sent, "m" events mark the run's steps. Times do not decrease. The
// escape sequences are screen.h's.
#pragma once

#include <string>

#include "sim/report/cast/film.h"

namespace otasim::report::cast {

struct CastOptions {
  bool markers = true;  ///< some tools that make GIFs know no "m" events
};

[[nodiscard]] std::string write_cast(const Film& film, const CastOptions& options = {});

}  // namespace otasim::report::cast
