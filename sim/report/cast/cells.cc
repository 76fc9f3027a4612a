#include "sim/report/cast/cells.h"

#include <algorithm>
#include <array>

namespace otasim::report::cast {
namespace {

constexpr std::array<InkColor, kInks> kPalette{{
    {234, 0x11161d},  // kBack
    {236, 0x1d2631},  // kBar
    {240, 0x3d4b5c},  // kFrame
    {239, 0x3a4654},  // kFaint
    {246, 0x8c99a8},  // kDim
    {252, 0xd0d7df},  // kText
    {231, 0xffffff},  // kBright
    {80, 0x5cd4d6},   // kAccent
    {176, 0xd494dc},  // kBoot
    {117, 0x86ccf5},  // kApp
    {221, 0xf5cf65},  // kCloud
    {114, 0x86d58a},  // kGood
    {203, 0xff6f69},  // kBad
    {208, 0xff9340},  // kFault
    {75, 0x5eaefc},   // kSlotA
    {141, 0xb08cf8},  // kSlotB
    {233, 0x0c1015},  // kDark
}};

struct Range {
  char32_t first;
  char32_t last;
};

/// Glyphs of one column, left to right, that fonts for terminals have: what is not listed is replaced.
constexpr std::array kShown{
    Range{0x20, 0x7E},     Range{0xA1, 0xAC},      // ASCII, Latin-1 without the soft hyphen
    Range{0xAE, 0x2FF},    Range{0x370, 0x377},    // Latin, Greek
    Range{0x37A, 0x37F},   Range{0x384, 0x482},    // Greek, Cyrillic
    Range{0x48A, 0x52F},   Range{0x2010, 0x2027},  // Cyrillic, dashes and quotation marks
    Range{0x2030, 0x205E}, Range{0x20A0, 0x20BF},  // punctuation, currencies
    Range{0x2190, 0x21FF}, Range{0x2200, 0x22FF},  // arrows, mathematics
    Range{0x2500, 0x25FC}, Range{0x2713, 0x2713},  // lines, blocks and shapes, tick
    Range{0x2717, 0x2717},                         // cross
};

bool is_shown(char32_t c) {
  return std::ranges::any_of(kShown, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

struct Decoded {
  char32_t character;
  std::size_t length;
};

/// The character a text begins with; what is no UTF-8 is one replaced character a byte.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  constexpr Decoded kBroken{kReplaced, 1};
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return kBroken;
  char32_t c = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return kBroken;
    c = c << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  return c < kSmallest[length] ? kBroken : Decoded{c, length};
}

}  // namespace

InkColor color_of(Ink ink) {
  return kPalette[static_cast<std::size_t>(ink)];
}

bool Cell::looks_like(const Cell& other) const {
  if (glyph != other.glyph || style.back != other.style.back) return false;
  return glyph == U' ' || style == other.style;
}

void Region::glyph(int x, int y, char32_t glyph, Style style) {
  if (x < 0 || y < 0 || x >= area_.width || y >= area_.height) return;
  grid_->set(area_.x + x, area_.y + y, {glyph, style});
}

int Region::text(int x, int y, std::string_view text, Style style) {
  const std::u32string glyphs = display_text(text);
  const int room = area_.width - x;
  const int length = static_cast<int>(glyphs.size());
  const int shown = std::min(length, room);
  for (int i = 0; i < shown; ++i) {
    const bool is_cut = length > room && i == room - 1;
    glyph(x + i, y, is_cut ? U'\u2026' : glyphs[static_cast<std::size_t>(i)], style);
  }
  return x + std::max(shown, 0);
}

int Region::text_right(int y, std::string_view text, Style style) {
  const int length = static_cast<int>(display_text(text).size());
  const int x = std::max(0, area_.width - length);
  this->text(x, y, text, style);
  return x;
}

void Region::fill(Style style) {
  for (int y = 0; y < area_.height; ++y)
    for (int x = 0; x < area_.width; ++x) glyph(x, y, U' ', style);
}

Region Region::inner(Area area) const {
  Area cut{.x = area_.x + area.x, .y = area_.y + area.y};
  cut.width = std::clamp(area.width, 0, std::max(0, area_.width - area.x));
  cut.height = std::clamp(area.height, 0, std::max(0, area_.height - area.y));
  return {*grid_, cut};
}

Grid::Grid(int width, int height)
    : width_(width),
      height_(height),
      cells_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

std::u32string display_text(std::string_view utf8) {
  std::u32string glyphs;
  while (!utf8.empty()) {
    const Decoded next = decode(utf8);
    glyphs += is_shown(next.character) ? next.character : kReplaced;
    utf8.remove_prefix(next.length);
  }
  return glyphs;
}

std::string to_utf8(char32_t glyph) {
  const auto part = [glyph](unsigned shift) { return static_cast<char>(0x80U | (glyph >> shift & 0x3FU)); };
  if (glyph < 0x80) return {static_cast<char>(glyph)};
  if (glyph < 0x800) return {static_cast<char>(0xC0U | glyph >> 6), part(0)};
  if (glyph < 0x10000) return {static_cast<char>(0xE0U | glyph >> 12), part(6), part(0)};
  return {static_cast<char>(0xF0U | glyph >> 18), part(12), part(6), part(0)};
}

std::string to_utf8(std::u32string_view glyphs) {
  std::string out;
  for (const char32_t glyph : glyphs) out += to_utf8(glyph);
  return out;
}

}  // namespace otasim::report::cast
