#include "sim/report/cast/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "sim/base/text.h"
#include "sim/report/cast/layout.h"

namespace otasim::report::cast {
namespace {

// In user units; 13.3 is the size at which most fixed fonts are 8 wide.
constexpr int kCellWidth = 8;
constexpr int kCellHeight = 17;
constexpr int kBaseline = 13;
constexpr int kMargin = 10;

/// A stretch of a row that is taken as a whole.
struct Piece {
  int y;
  int x;
  int width;
  bool is_map = false;  ///< cells leave a little air between rows
};

struct Shown {
  std::size_t content;
  Piece piece;
};

/// From which picture on until which one (not included).
using Span = std::pair<std::size_t, std::size_t>;

std::vector<Piece> pieces_of(int width, int height) {
  const Layout layout = layout_for(width, height);
  std::vector<Piece> pieces;
  const auto split = [&](int y, std::vector<int> edges) {
    const bool is_map = y < layout.link.y;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i)
      pieces.push_back({y, edges[i], edges[i + 1] - edges[i], is_map});
  };
  constexpr int kClock = 10;
  split(layout.header.y, {0, width - 24, width});
  split(layout.caption.y, {0, width});
  split(layout.footer.y, {0, kClock, width});
  const int left = layout.console.width;
  for (int y = layout.console.y; y < layout.caption.y; ++y) {
    split(y, {0, 2, left - 2, left, left + 2, width - 2, width});
  }
  return pieces;
}

bool is_block(char32_t glyph) {
  return glyph >= 0x2580 && glyph <= 0x2593;
}
bool is_line(char32_t glyph) {
  return glyph >= 0x2500 && glyph <= 0x257F;
}

/// Cells of one look that are drawn in one go, from `x` on.
struct Stretch {
  int x;
  int cells;
  Style style;
  std::u32string glyphs;
  bool is_map;
};

class Drawing {
 public:
  /// What stands there; empty if it is all background.
  static std::string content_of(const Grid& grid, const Piece& piece) {
    std::string out = backgrounds(grid, piece);
    for (int x = 0; x < piece.width;) {
      const Stretch stretch = stretch_at(grid, piece, x);
      if (!stretch.glyphs.empty()) out += draw(stretch);
      x += stretch.cells;
    }
    return out;
  }

 private:
  static std::string backgrounds(const Grid& grid, const Piece& piece) {
    std::string out;
    for (int x = 0; x < piece.width;) {
      const Ink back = grid.at(piece.x + x, piece.y).style.back;
      int end = x + 1;
      while (end < piece.width && grid.at(piece.x + end, piece.y).style.back == back) ++end;
      if (back != Ink::kBack) out += rect(x * kCellWidth, 0, (end - x) * kCellWidth, kCellHeight, back, "");
      x = end;
    }
    return out;
  }

  static Stretch stretch_at(const Grid& grid, const Piece& piece, int x) {
    const auto cell = [&](int at) -> const Cell& { return grid.at(piece.x + at, piece.y); };
    const Cell& first = cell(x);
    Stretch stretch{.x = x, .cells = 1, .style = first.style, .glyphs = {}, .is_map = piece.is_map};
    if (first.glyph == U' ') return stretch;
    stretch.glyphs += first.glyph;
    const bool is_shape = is_block(first.glyph) || is_line(first.glyph);
    for (int at = x + 1; at < piece.width; ++at) {
      const char32_t glyph = cell(at).glyph;
      // A single blank does not end a text.
      const bool is_gap = !is_shape && glyph == U' ' && at + 1 < piece.width && cell(at + 1).glyph != U' ' &&
                          cell(at + 1).style == first.style && cell(at).style.back == first.style.back;
      const bool goes_on =
          is_shape ? glyph == first.glyph : !is_block(glyph) && !is_line(glyph) && glyph != U' ';
      if (!is_gap && (!goes_on || !(cell(at).style == first.style))) break;
      stretch.glyphs += glyph;
      ++stretch.cells;
    }
    return stretch;
  }

  static std::string draw(const Stretch& stretch) {
    const char32_t glyph = stretch.glyphs.front();
    if (is_block(glyph)) return block(stretch, glyph);
    if (is_line(glyph)) return line(stretch, glyph);
    const int x = stretch.x * kCellWidth;
    const std::string text = to_utf8(stretch.glyphs);
    const std::string length =
        stretch.cells > 1 ? fmt::format(" textLength=\"{}\"", stretch.cells * kCellWidth) : std::string();
    return fmt::format("<text x=\"{}\" y=\"{}\"{} class=\"i{}{}\">{}</text>", x, kBaseline, length,
                       static_cast<unsigned>(stretch.style.ink), stretch.style.bold ? " b" : "",
                       escape_markup(text));
  }

  static std::string rect(int x, double y, double width, double height, Ink ink, std::string_view more) {
    return fmt::format("<rect x=\"{}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\" class=\"i{}\"{}/>", x, y,
                       width, height, static_cast<unsigned>(ink), more);
  }

  static std::string block(const Stretch& stretch, char32_t glyph) {
    const int x = stretch.x * kCellWidth;
    const int width = stretch.cells * kCellWidth;
    constexpr double kEighth = kCellHeight / 8.0;
    const Ink ink = stretch.style.ink;
    if (glyph >= 0x2581 && glyph <= 0x2588) {  // lower eighths, the last one full
      const double height = static_cast<double>(glyph - 0x2580) * kEighth;
      if (glyph == 0x2588 && stretch.is_map) return rect(x, 2, width, kCellHeight - 4, ink, "");
      // Bars go on in the row above: they overlap, so that no seam is seen.
      constexpr double kOverlap = 0.4;
      return rect(x, kCellHeight - height, width, height + kOverlap, ink, "");
    }
    if (glyph >= 0x2589 && glyph <= 0x258F) {  // left eighths: one cell each
      return rect(x, 2, static_cast<double>(0x2590 - glyph), kCellHeight - 4, ink, "");
    }
    if (glyph >= 0x2591 && glyph <= 0x2593) {
      constexpr std::array kOpacity{"0.35", "0.55", "0.8"};
      return rect(x, 2, width, kCellHeight - 4, ink,
                  fmt::format(" opacity=\"{}\"", kOpacity[static_cast<std::size_t>(glyph - 0x2591)]));
    }
    return rect(x, 0, width, kCellHeight, ink, "");
  }

  static std::string line(const Stretch& stretch, char32_t glyph) {
    const double x = stretch.x * kCellWidth;
    const double width = stretch.cells * kCellWidth;
    constexpr double kMiddle = kCellHeight / 2.0;
    constexpr double kHalf = kCellWidth / 2.0;
    std::string path;
    switch (glyph) {
      case 0x2502:
        for (int cell = 0; cell < stretch.cells; ++cell)
          path += fmt::format("M{:g} 0v{}", x + cell * kCellWidth + kHalf, kCellHeight);
        break;
      case 0x256D:
        path = fmt::format("M{:g} {}v-3.5a5 5 0 0 1 4 -5", x + kHalf, kCellHeight);
        break;
      case 0x256E:
        path = fmt::format("M{:g} {:g}a5 5 0 0 1 4 5v3.5", x, kMiddle);
        break;
      case 0x2570:
        path = fmt::format("M{:g} 0v3.5a5 5 0 0 0 4 5", x + kHalf);
        break;
      case 0x256F:
        path = fmt::format("M{:g} 0v3.5a5 5 0 0 1 -4 5", x + kHalf);
        break;
      default:
        path = fmt::format("M{:g} {:g}h{:g}", x, kMiddle, width);
    }
    return fmt::format("<path d=\"{}\" class=\"l{}\"/>", path, static_cast<unsigned>(stretch.style.ink));
  }
};

class Writer {
 public:
  explicit Writer(const Film& film) : film_(film) {}

  std::string write() {
    for (const Piece& piece : pieces_of(film_.width, film_.height)) follow(piece);
    const int width = film_.width * kCellWidth + 2 * kMargin;
    const int height = film_.height * kCellHeight + 2 * kMargin;
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "role=\"img\" aria-label=\"{2}\">\n<title>{2}</title>\n",
        width, height, escape_markup(film_.title));
    out += style_sheet() + definitions();
    out += fmt::format(
        "<rect width=\"{}\" height=\"{}\" rx=\"10\" class=\"i0\"/>\n<g transform=\"translate({} {})\">\n",
        width, height, kMargin, kMargin);
    for (const auto& [span, shown] : spans_) out += group_of(span, shown);
    return out + "</g>\n</svg>\n";
  }

 private:
  /// Goes through the film with one piece of the picture.
  void follow(const Piece& piece) {
    std::size_t from = 0;
    for (std::size_t i = 1; i <= film_.frames.size(); ++i) {
      if (i < film_.frames.size() && looks_alike(film_.frames[from].picture, film_.frames[i].picture, piece))
        continue;
      const std::string content = Drawing::content_of(film_.frames[from].picture, piece);
      if (!content.empty()) spans_[{from, i}].push_back({number_of_content(content), piece});
      from = i;
    }
  }

  static bool looks_alike(const Grid& one, const Grid& other, const Piece& piece) {
    for (int x = piece.x; x < piece.x + piece.width; ++x)
      if (!one.at(x, piece.y).looks_like(other.at(x, piece.y))) return false;
    return true;
  }

  std::size_t number_of_content(const std::string& content) {
    const auto [entry, is_new] = contents_.try_emplace(content, Content{contents_.size(), 0});
    ++entry->second.uses;
    if (is_new) in_order_.push_back(entry->first);
    return entry->second.number;
  }

  [[nodiscard]] std::string style_sheet() const {
    std::string css =
        "<style>text{font:13.3px ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;white-space:pre}"
        ".b{font-weight:bold}path{fill:none;stroke-width:1}";
    for (std::size_t ink = 0; ink < kInks; ++ink) {
      const std::uint32_t rgb = color_of(static_cast<Ink>(ink)).rgb;
      css += fmt::format(".i{0}{{fill:#{1:06x}}}.l{0}{{stroke:#{1:06x}}}", ink, rgb);
    }
    css += fmt::format(
        ".k{{visibility:hidden;animation:{:g}s step-end infinite}}.z{{visibility:visible}}"
        "@media(prefers-reduced-motion:reduce){{.k{{animation:none!important}}}}",
        film_.length_s);
    std::size_t number = 0;
    for (const auto& entry : spans_) {
      if (!is_always(entry.first)) css += key_frames(entry.first, number);
      ++number;
    }
    return css + "</style>\n";
  }

  [[nodiscard]] bool is_always(const Span& span) const {
    return span.first == 0 && span.second == film_.frames.size();
  }
  [[nodiscard]] bool is_last(const Span& span) const { return span.second == film_.frames.size(); }

  [[nodiscard]] std::string percent(std::size_t frame) const {
    return fmt::format("{:.3f}%", film_.frames[frame].t_s / film_.length_s * 100);
  }

  [[nodiscard]] std::string key_frames(const Span& span, std::size_t number) const {
    std::string frames;
    if (is_last(span)) {
      frames = fmt::format("0%{{visibility:hidden}}{}{{visibility:visible}}", percent(span.first));
    } else {
      frames = fmt::format("{}{{visibility:visible}}{}{{visibility:hidden}}",
                           span.first == 0 ? "0%" : percent(span.first), percent(span.second));
    }
    return fmt::format("@keyframes k{0}{{{1}}}.k{0}{{animation-name:k{0}}}", number, frames);
  }

  [[nodiscard]] std::string definitions() const {
    std::string out = "<defs>\n";
    for (const std::string& content : in_order_) {
      const Content& one = contents_.at(content);
      if (one.uses > 1) out += fmt::format("<g id=\"p{}\">{}</g>\n", one.number, content);
    }
    return out + "</defs>\n";
  }

  std::string group_of(const Span& span, const std::vector<Shown>& shown) {
    const std::size_t number = next_group_++;
    std::string out = is_always(span)
                          ? std::string("<g>")
                          : fmt::format("<g class=\"k{} k{}\">", is_last(span) ? " z" : "", number);
    for (const Shown& one : shown) {
      const int x = one.piece.x * kCellWidth;
      const int y = one.piece.y * kCellHeight;
      const std::string& content = in_order_[one.content];
      if (contents_.at(content).uses > 1) {
        out += fmt::format("<use href=\"#p{}\" x=\"{}\" y=\"{}\"/>", one.content, x, y);
      } else {
        out += fmt::format("<g transform=\"translate({} {})\">{}</g>", x, y, content);
      }
    }
    return out + "</g>\n";
  }

  struct Content {
    std::size_t number;
    std::size_t uses;
  };

  const Film& film_;
  std::map<std::string, Content> contents_;
  std::vector<std::string> in_order_;
  std::map<Span, std::vector<Shown>> spans_;
  std::size_t next_group_ = 0;
};

}  // namespace

std::string write_svg(const Film& film) {
  return Writer(film).write();
}

}  // namespace otasim::report::cast
