#include "sim/report/cast/layout.h"

#include <algorithm>

namespace otasim::report::cast {
namespace {

constexpr int kBars = 3;        // header, caption, footer
constexpr int kRoomyBody = 25;  // rows of panes from which on they have air
constexpr int kTrafficText = 13;

}  // namespace

Layout layout_for(int width, int height) {
  const int right = std::clamp(width * 42 / 100, 36, 64);
  const int left = width - right;
  const int body = height - kBars;
  const bool is_roomy = body >= kRoomyBody;
  const int flash = is_roomy ? 10 : 8;
  const int link = is_roomy ? 7 : 6;
  const int job = body - flash - link;
  return {.header = {.x = 0, .y = 0, .width = width, .height = 1},
          .console = {.x = 0, .y = 1, .width = left, .height = body},
          .job = {.x = left, .y = 1, .width = right, .height = job},
          .flash = {.x = left, .y = 1 + job, .width = right, .height = flash},
          .link = {.x = left, .y = 1 + job + flash, .width = right, .height = link},
          .caption = {.x = 0, .y = height - 2, .width = width, .height = 1},
          .footer = {.x = 0, .y = height - 1, .width = width, .height = 1}};
}

Area inside(const Area& pane) {
  return {.x = pane.x + 2, .y = pane.y + 1, .width = pane.width - 4, .height = pane.height - 2};
}

int traffic_columns(const Layout& layout) {
  return inside(layout.link).width - kTrafficText;
}

}  // namespace otasim::report::cast
