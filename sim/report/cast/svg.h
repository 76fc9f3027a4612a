// A film as one animated drawing that needs nothing else: no script, no font, no player. A browser shows it
// in a page or as an image, as README files do.
//
// What stands in a pane's row for a while is one piece; pieces that look alike are drawn once and used where
// they stand, and style sheet animations show each for its time. Blocks and lines are shapes, not letters, so
// that no font breaks them. Who prefers reduced motion, and whatever cannot animate, sees the last picture.
#pragma once

#include <string>

#include "sim/report/cast/film.h"

namespace otasim::report::cast {

[[nodiscard]] std::string write_svg(const Film& film);

}  // namespace otasim::report::cast
