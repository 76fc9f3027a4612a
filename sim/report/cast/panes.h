// Draws a scene: docs/recordings.md shows and explains the picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/cast/cells.h"
#include "sim/report/cast/layout.h"
#include "sim/report/cast/scene.h"

namespace otasim::report::cast {

/// What went over the link in each of some equal stretches of the recording.
struct Traffic {
  std::vector<std::uint64_t> up;
  std::vector<std::uint64_t> down;
  std::vector<char32_t> marks;  ///< boots and faults; blank: none
};

/// What the picture needs beside the scene.
struct Dials {
  std::string title;
  std::string where;    ///< "mps2-an385, mqtt"
  std::string version;  ///< otasim's own
  std::int64_t clock_us = 0;
  std::int64_t length_us = 0;
  double slower = 1;  ///< how many times slower than in life it is shown
  /// Columns of the traffic that are past.
  std::size_t columns_past = 0;
  Traffic traffic = {};
  /// How much of a slot a cell of the map stands for.
  std::uint32_t cell_bytes = flash::kPageSize;
};

/// How many cells the map gives a slot.
[[nodiscard]] int slot_cells(const Layout& layout);

void draw(const Scene& scene, const Dials& dials, const Layout& layout, Grid& grid);

}  // namespace otasim::report::cast
