// Where things stand in the picture: a header, four panes, a caption and a footer.
//
//   +--------------------------------------------------+
//   | otasim  title                            verdict |
//   | +-- device ---------------+ +-- job -----------+ |
//   | | console                 | +-- flash ---------+ |
//   | |                         | +-- link ----------+ |
//   | +-------------------------+ +------------------+ |
//   | what happens, in a sentence                      |
//   | clock                                     legend |
//   +--------------------------------------------------+
#pragma once

#include "sim/report/cast/cells.h"

namespace otasim::report::cast {

inline constexpr int kLeastWidth = 80;
inline constexpr int kMostWidth = 200;
inline constexpr int kLeastHeight = 24;
inline constexpr int kMostHeight = 60;

struct Layout {
  Area header;
  Area console;
  Area job;
  Area flash;
  Area link;
  Area caption;
  Area footer;
};

/// @param width, height  from kLeast to kMost
[[nodiscard]] Layout layout_for(int width, int height);

/// What a pane has inside its frame.
[[nodiscard]] Area inside(const Area& pane);

/// How many columns of traffic the link's pane has.
[[nodiscard]] int traffic_columns(const Layout& layout);

}  // namespace otasim::report::cast
