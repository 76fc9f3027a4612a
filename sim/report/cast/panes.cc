#include "sim/report/cast/panes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace otasim::report::cast {
namespace {

constexpr Style kDim{.ink = Ink::kDim};
constexpr Style kFaint{.ink = Ink::kFaint};
constexpr Style kPlain{.ink = Ink::kText};
constexpr Style kFrame{.ink = Ink::kFrame};

/// A longer line of the console is cut.
constexpr std::size_t kMostRowsOfALine = 3;

constexpr int kSlotText = 15;  // "0.9.1 committed"
constexpr int kSlotLabel = 3;
constexpr std::array kSlotNames{"A", "B", "R"};
constexpr std::array kSlotInks{Ink::kSlotA, Ink::kSlotB, Ink::kDim};

std::string seconds_text(std::int64_t t_us) {
  return fmt::format("{:.3f}", static_cast<double>(t_us) / 1e6);
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kKibi = 1024;
  const auto value = static_cast<double>(bytes);
  if (value < kKibi) return fmt::format("{} B", bytes);
  if (value < kKibi * kKibi) return fmt::format("{:.0f} KiB", value / kKibi);
  return fmt::format("{:.1f} MiB", value / kKibi / kKibi);
}

Ink slot_ink(const std::string& slot) {
  for (std::size_t i = 0; i < kSlotNames.size(); ++i)
    if (slot == kSlotNames[i]) return kSlotInks[i];
  return Ink::kText;
}

/// A frame with a title in its upper edge, and what is to be said of it at the right.
void draw_frame(Region pane, std::string_view title, Ink ink, std::string_view said, Style said_style) {
  const int right = pane.width() - 1;
  const int bottom = pane.height() - 1;
  for (int x = 1; x < right; ++x) {
    pane.glyph(x, 0, U'\u2500', kFrame);
    pane.glyph(x, bottom, U'\u2500', kFrame);
  }
  for (int y = 1; y < bottom; ++y) {
    pane.glyph(0, y, U'\u2502', kFrame);
    pane.glyph(right, y, U'\u2502', kFrame);
  }
  pane.glyph(0, 0, U'\u256D', kFrame);
  pane.glyph(right, 0, U'\u256E', kFrame);
  pane.glyph(0, bottom, U'\u2570', kFrame);
  pane.glyph(right, bottom, U'\u256F', kFrame);
  const int behind = pane.text(2, 0, fmt::format(" {} ", title), {.ink = ink, .bold = true});
  if (said.empty()) return;
  Region edge = pane.inner({.x = behind + 1, .y = 0, .width = pane.width() - behind - 3, .height = 1});
  edge.text_right(0, fmt::format(" {} ", said), said_style);
}

// --- header, caption, footer ---

struct Badge {
  std::string text;
  Ink back;
};

Badge badge_of(const Scene& scene) {
  if (!scene.is_over())
    return scene.faults().empty() ? Badge{" RUNNING ", Ink::kFrame} : Badge{" FAULT ", Ink::kFault};
  const std::string verdict = scene.verdict();
  if (verdict == "passed") return {" \u2713 PASSED ", Ink::kGood};
  if (verdict.empty()) return {" NO RESULT ", Ink::kFault};
  return {" \u2717 FAILED ", Ink::kBad};
}

void draw_header(const Scene& scene, const Dials& dials, Region bar) {
  bar.fill({.back = Ink::kBar});
  const int behind =
      bar.text(0, 0, fmt::format(" otasim{}{} ", dials.version.empty() ? "" : " ", dials.version),
               {.ink = Ink::kDark, .back = Ink::kAccent, .bold = true});
  const Badge badge = badge_of(scene);
  const Ink on_badge = badge.back == Ink::kFrame ? Ink::kBright : Ink::kDark;
  const int verdict_at = bar.text_right(0, badge.text, {.ink = on_badge, .back = badge.back, .bold = true});
  Region middle = bar.inner({.x = behind + 1, .y = 0, .width = verdict_at - behind - 2, .height = 1});
  const int where_at = middle.text_right(0, dials.where, {.ink = Ink::kDim, .back = Ink::kBar});
  middle.inner({.x = 0, .y = 0, .width = where_at - 1, .height = 1})
      .text(0, 0, dials.title, {.ink = Ink::kBright, .back = Ink::kBar, .bold = true});
}

void draw_caption(const Scene& scene, Region line) {
  const Told& told = scene.caption();
  if (told.caption.empty()) return;
  line.glyph(1, 0, U'\u258C', {.ink = told.ink});
  line.inner({.x = 3, .y = 0, .width = line.width() - 4, .height = 1})
      .text(0, 0, told.caption, {.ink = told.ink == Ink::kText ? Ink::kBright : told.ink, .bold = true});
}

struct LegendItem {
  const char* sign;
  const char* text;
  Ink ink;
};

void draw_footer(const Dials& dials, Region bar) {
  const Style back{.ink = Ink::kDim, .back = Ink::kBar};
  bar.fill(back);
  int x = bar.text(1, 0, fmt::format("{:>7} s", seconds_text(dials.clock_us)),
                   {.ink = Ink::kBright, .back = Ink::kBar, .bold = true});
  x = bar.text(x + 1, 0, fmt::format("of {}", seconds_text(dials.length_us)), back);
  if (dials.slower >= 2) x = bar.text(x + 2, 0, fmt::format("slow motion 1:{:.0f}", dials.slower), back);
  constexpr std::array<LegendItem, 5> kLegend{{{"\u2588", "programmed", Ink::kText},
                                               {"\u00B7", "erased", Ink::kText},
                                               {"\u25C6", "in force", Ink::kGood},
                                               {"\u25B8", "running", Ink::kAccent},
                                               {"\u25B2", "fault", Ink::kFault}}};
  int length = 1;
  for (const LegendItem& item : kLegend) length += static_cast<int>(std::string_view(item.text).size()) + 4;
  int at = bar.width() - length;
  for (const LegendItem& item : kLegend) {
    const int next = at + static_cast<int>(std::string_view(item.text).size()) + 4;
    if (at > x + 1) {  // what has no room at the left of it is left out
      bar.text(at, 0, item.sign, {.ink = item.ink, .back = Ink::kBar});
      bar.text(at + 2, 0, item.text, back);
    }
    at = next;
  }
}

// --- the console ---

/// A line's text in rows of at most `width` columns, cut between words where that leaves no row nearly empty.
std::vector<std::string> rows_of(std::string_view text, int width) {
  std::u32string rest = display_text(text);
  const auto room = static_cast<std::size_t>(std::max(width, 1));
  std::vector<std::string> rows;
  while (rest.size() > room && rows.size() + 1 < kMostRowsOfALine) {
    const std::size_t blank = rest.rfind(U' ', room);
    const std::size_t cut = blank == std::u32string::npos || blank < room / 3 ? room : blank;
    rows.push_back(to_utf8(std::u32string_view(rest).substr(0, cut)));
    rest.erase(0, rest[cut] == U' ' ? cut + 1 : cut);
  }
  rows.push_back(to_utf8(rest));
  return rows;
}

/// "verify slot=B result=ok": the key dim, the value plain, the result as it is.
void draw_boot_words(Region line, std::string_view text) {
  int x = 0;
  while (!text.empty() && x < line.width()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      x = line.text(x, 0, word, {.ink = Ink::kBright});
    } else {
      const std::string_view key = word.substr(0, equals);
      const std::string_view value = word.substr(equals + 1);
      Style style = kPlain;
      if (key == "result") style.ink = value == "ok" ? Ink::kGood : Ink::kBad;
      if (key == "slot") style.ink = slot_ink(std::string(value));
      x = line.text(x, 0, fmt::format("{}=", key), kDim);
      x = line.text(x, 0, value, style);
    }
    ++x;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void draw_rule(Region line, const ConsoleLine& said, bool with_name) {
  for (int x = 0; x < line.width(); ++x) line.glyph(x, 0, U'\u2500', kFrame);
  const std::string text = with_name ? said.device + ' ' + said.text : said.text;
  line.text(2, 0, fmt::format(" {} ", text), {.ink = Ink::kAccent});
}

/// One row of the console.
struct ConsoleRow {
  const ConsoleLine* line;
  std::string_view tag;  ///< "boot:", "app:" or nothing; of the line's first row only
  std::string text;
  bool is_first;
};

std::string_view tag_of(std::string_view text) {
  for (const std::string_view tag : {"boot:", "app:"})
    if (text.starts_with(tag)) return tag;
  return {};
}

class Console {
 public:
  Console(const Scene& scene, Region pane) : pane_(pane), with_name_(scene.devices().size() > 1) {
    const auto& lines = scene.console();
    const auto most = static_cast<std::size_t>(std::max(pane.height(), 0));
    std::size_t first = lines.size();
    for (std::size_t rows = 0; first > 0 && rows < most; --first)
      rows += rows_of_line(lines[first - 1]).size();
    for (std::size_t i = first; i < lines.size(); ++i)
      for (ConsoleRow& row : rows_of_line(lines[i])) rows_.push_back(std::move(row));
    if (rows_.size() > most) rows_.erase(rows_.begin(), rows_.end() - static_cast<std::ptrdiff_t>(most));
  }

  void draw() const {
    for (std::size_t i = 0; i < rows_.size(); ++i) draw_row(rows_[i], static_cast<int>(i));
  }

 private:
  static constexpr int kTime = 7;
  static constexpr int kName = 9;

  [[nodiscard]] int text_at(std::string_view tag) const {
    return kTime + (with_name_ ? kName : 0) + (tag.empty() ? 0 : static_cast<int>(tag.size()) + 1);
  }

  [[nodiscard]] std::vector<ConsoleRow> rows_of_line(const ConsoleLine& line) const {
    if (line.is_rule) return {{.line = &line, .tag = {}, .text = {}, .is_first = true}};
    const std::string_view tag = tag_of(line.text);
    std::string_view text = std::string_view(line.text).substr(tag.size());
    if (!tag.empty() && text.starts_with(' ')) text.remove_prefix(1);
    std::vector<ConsoleRow> rows;
    for (std::string& part : rows_of(text, pane_.width() - text_at(tag)))
      rows.push_back({.line = &line, .tag = tag, .text = std::move(part), .is_first = rows.empty()});
    return rows;
  }

  void draw_row(const ConsoleRow& row, int y) const {
    Region place = pane_.inner({.x = 0, .y = y, .width = pane_.width(), .height = 1});
    if (row.line->is_rule) return draw_rule(place, *row.line, with_name_);
    const bool is_boot = row.tag == "boot:";
    if (row.is_first) {
      place.text(0, 0, seconds_text(row.line->t_us), kDim);
      if (with_name_)
        place.inner({.x = kTime, .y = 0, .width = kName - 1, .height = 1}).text(0, 0, row.line->device, kDim);
      place.text(text_at({}), 0, row.tag, {.ink = is_boot ? Ink::kBoot : Ink::kApp});
    }
    const int x = text_at(row.tag);
    Region words = place.inner({.x = x, .y = 0, .width = place.width() - x, .height = 1});
    if (is_boot) return draw_boot_words(words, row.text);
    words.text(0, 0, row.text, kPlain);
  }

  Region pane_;
  bool with_name_;
  std::vector<ConsoleRow> rows_;
};

std::string running_text(const Scene& scene) {
  const auto& devices = scene.devices();
  if (devices.size() != 1) {
    const auto on = std::ranges::count_if(devices, &SceneDevice::is_on);
    return fmt::format("{} of {} on", on, devices.size());
  }
  const SceneDevice& one = devices.front();
  if (!one.is_on) return "off";
  if (one.version.empty()) return "bootloader";
  return fmt::format("{} \u00B7 slot {} \u00B7 {}", one.version, one.slot, one.state);
}

void draw_console_pane(const Scene& scene, Region pane, Region content) {
  const auto& devices = scene.devices();
  const bool is_one = devices.size() == 1;
  const Ink ink = is_one && !devices.front().version.empty() ? slot_ink(devices.front().slot)
                  : is_one && devices.front().is_on          ? Ink::kBoot
                                                             : Ink::kDim;
  draw_frame(pane, is_one ? devices.front().name : "devices", Ink::kApp, running_text(scene),
             {.ink = ink, .bold = true});
  Console(scene, content).draw();
}

// --- the job ---

void draw_progress(const Scene& scene, Region line) {
  std::int64_t done = 0;
  std::int64_t total = 0;
  for (const SceneDevice& device : scene.devices()) {
    done += device.done;
    total += device.total;
  }
  if (total == 0) {
    const bool waits = scene.timeline().empty() || scene.timeline().back().ink == Ink::kCloud;
    line.text(0, 0,
              scene.job().empty() ? "no job yet"
              : waits             ? "waiting for the device"
                                  : "no block was told of",
              kDim);
    return;
  }
  const std::string text = fmt::format("{}/{} blocks", done, total);
  const int text_at = line.text_right(0, text, kPlain);
  const int room = std::max(text_at - 1, 0);
  const auto eighths = static_cast<int>(done * room * 8 / total);
  for (int x = 0; x < room; ++x) {
    const int fill = std::clamp(eighths - x * 8, 0, 8);
    const char32_t glyph = fill == 0 ? U'\u2500' : static_cast<char32_t>(0x2588 + 8 - fill);
    line.glyph(x, 0, glyph, fill == 0 ? kFaint : Style{.ink = done == total ? Ink::kGood : Ink::kCloud});
  }
}

void draw_job(const Scene& scene, Region pane) {
  draw_progress(scene, pane.inner({.x = 0, .y = 0, .width = pane.width(), .height = 1}));
  const auto& entries = scene.timeline();
  const int first_row = pane.height() > 6 ? 2 : 1;
  const auto rows = static_cast<std::size_t>(std::max(pane.height() - first_row, 0));
  const std::size_t first = entries.size() > rows ? entries.size() - rows : 0;
  for (std::size_t i = first; i < entries.size(); ++i) {
    const TimelineEntry& entry = entries[i];
    const int y = first_row + static_cast<int>(i - first);
    const bool is_last = i + 1 == entries.size();
    const Style style{.ink = is_last || entry.ink != Ink::kCloud ? entry.ink : Ink::kText, .bold = is_last};
    int x = pane.text(0, y, fmt::format("{:>7} ", seconds_text(entry.t_us)), kDim);
    pane.glyph(x, y, entry.bullet, {.ink = entry.ink});
    pane.text(x + 2, y, entry.text, style);
  }
}

// --- the flash ---

/// How much of a stretch of cells is programmed, 0 to 1.
double programmed_part(const SceneFlash& flash, std::uint32_t offset, std::uint32_t bytes) {
  const std::size_t first = offset / flash::kPageSize;
  const std::size_t pages = std::max<std::size_t>(bytes / flash::kPageSize, 1);
  std::size_t count = 0;
  for (std::size_t page = first; page < first + pages && page < flash.pages.size(); ++page)
    if (flash.pages[page]) ++count;
  return static_cast<double>(count) / static_cast<double>(pages);
}

char32_t shade_of(double part) {
  if (part <= 0) return U'\u00B7';
  if (part < 0.35) return U'\u2591';
  if (part < 0.7) return U'\u2592';
  return part < 1 ? U'\u2593' : U'\u2588';
}

/// A row of cells, with the one that was changed last lit up.
void draw_cells(const SceneFlash& flash, std::uint32_t offset, std::uint32_t cell_bytes, Ink ink,
                Region row) {
  const std::int64_t last = flash.last_page * std::int64_t{flash::kPageSize};
  for (int x = 0; x < row.width(); ++x) {
    const std::uint32_t at = offset + static_cast<std::uint32_t>(x) * cell_bytes;
    const double part = programmed_part(flash, at, cell_bytes);
    const bool is_last = flash.last_page >= 0 && last >= at && last < std::int64_t{at} + cell_bytes;
    Style style{.ink = part <= 0 ? Ink::kFaint : ink};
    if (is_last) style.ink = flash.last_is_erase ? Ink::kFault : Ink::kBright;
    row.glyph(x, 0, shade_of(part), style);
  }
}

std::string standing_of(const SceneFlash& flash, std::size_t slot) {
  if (flash.record.committed == kSlotNames[slot]) return "committed";
  if (flash.record.staged == kSlotNames[slot]) return flash.record.state;
  return {};
}

void draw_slot(const SceneDevice& device, std::size_t slot, std::uint32_t cell_bytes, Region line) {
  const SceneFlash& flash = device.flash;
  const std::string standing = standing_of(flash, slot);
  // What is left of an image whose header is gone is no image.
  const bool is_left_over = flash.versions[slot].empty() && standing.empty();
  const Ink ink = is_left_over ? Ink::kFrame : kSlotInks[slot];
  const bool is_running = device.is_on && device.slot == kSlotNames[slot] && !device.version.empty();
  if (standing == "committed") line.glyph(0, 0, U'\u25C6', {.ink = Ink::kGood});
  if (is_running) line.glyph(1, 0, U'\u25B8', {.ink = Ink::kAccent});
  line.text(2, 0, kSlotNames[slot], {.ink = kSlotInks[slot], .bold = true});
  const int cells = line.width() - kSlotLabel - kSlotText - 2;
  draw_cells(flash, kShownSlots[slot].offset, cell_bytes, ink,
             line.inner({.x = kSlotLabel + 1, .y = 0, .width = cells, .height = 1}));
  Region said = line.inner({.x = line.width() - kSlotText, .y = 0, .width = kSlotText, .height = 1});
  const std::string& version = flash.versions[slot];
  const int x = said.text(0, 0, version.empty() ? "no image" : version,
                          version.empty() ? kDim : Style{.ink = ink, .bold = true});
  if (!standing.empty() && !version.empty())
    said.text(x + 1, 0, standing, {.ink = standing == "rejected" ? Ink::kBad : Ink::kText});
  if (slot == 2 && !version.empty()) said.text(x + 1, 0, "recovery", kDim);
}

void draw_journal(const SceneFlash& flash, Region line) {
  constexpr std::uint32_t kCellBytes = 2 * flash::kPageSize;
  constexpr int kCells = static_cast<int>(flash::kJournalSize / kCellBytes);
  const int x = line.text(0, 0, "boot records ", kDim);
  draw_cells(flash, flash::kBootControl0.offset, kCellBytes, Ink::kBoot,
             line.inner({.x = x, .y = 0, .width = kCells, .height = 1}));
  draw_cells(flash, flash::kBootControl1.offset, kCellBytes, Ink::kBoot,
             line.inner({.x = x + kCells + 1, .y = 0, .width = kCells, .height = 1}));
}

std::string record_text(const RecordText& record) {
  if (record.committed.empty()) return "no record yet: the factory's image";
  const bool has_staged = record.staged != "none" && !record.staged.empty();
  std::string text = record.committed == "none" ? "none in force" : record.committed + " in force";
  if (has_staged) text += fmt::format(", {} is {}", record.staged, record.state);
  return text;
}

void draw_flash(const SceneDevice& device, const std::string& problem, std::uint32_t cell_bytes,
                Region pane) {
  const auto row = [&](int y) { return pane.inner({.x = 0, .y = y, .width = pane.width(), .height = 1}); };
  if (device.flash.pages.empty()) {
    row(0).text(0, 0, problem.empty() ? "not recorded" : problem, kDim);
    return;
  }
  const bool is_roomy = pane.height() >= 8;
  int y = 0;
  for (std::size_t slot = 0; slot < kShownSlots.size(); ++slot) draw_slot(device, slot, cell_bytes, row(y++));
  y += is_roomy ? 1 : 0;
  draw_journal(device.flash, row(y++));
  row(y++).text(0, 0, record_text(device.flash.record), kPlain);
  y += is_roomy ? 1 : 0;
  const std::string done = fmt::format("{} programs, {} erases", device.flash.programs, device.flash.erases);
  const std::string scale = fmt::format("{} a cell", size_text(cell_bytes));
  row(y).text(0, 0, done, kDim);
  if (static_cast<int>(done.size() + scale.size()) < pane.width()) row(y).text_right(0, scale, kDim);
}

/// Of several devices each has one row: both slots, what runs.
void draw_fleet_flash(const Scene& scene, std::uint32_t cell_bytes, Region pane) {
  constexpr int kName = 9;
  constexpr int kVersion = 8;
  const int cells = (pane.width() - kName - kVersion - 4) / 2;
  const std::uint32_t narrow_cell =
      cell_bytes * static_cast<std::uint32_t>(std::max(
                       1, (pane.width() - kSlotLabel - kSlotText - 2 + cells - 1) / std::max(cells, 1)));
  const auto rows = static_cast<std::size_t>(std::max(pane.height() - 1, 0));
  pane.text(kName + 1, 0, "slot A", {.ink = Ink::kSlotA});
  pane.text(kName + cells + 3, 0, "slot B", {.ink = Ink::kSlotB});
  for (std::size_t i = 0; i < scene.devices().size() && i < rows; ++i) {
    const SceneDevice& device = scene.devices()[i];
    Region row = pane.inner({.x = 0, .y = static_cast<int>(i) + 1, .width = pane.width(), .height = 1});
    row.inner({.x = 0, .y = 0, .width = kName - 1, .height = 1}).text(0, 0, device.name, kPlain);
    for (int slot = 0; slot < 2; ++slot) {
      const auto index = static_cast<std::size_t>(slot);
      const int x = kName + slot * (cells + 2);
      if (device.flash.record.committed == kSlotNames[index]) row.glyph(x, 0, U'\u25C6', {.ink = Ink::kGood});
      draw_cells(device.flash, kShownSlots[index].offset, narrow_cell, kSlotInks[index],
                 row.inner({.x = x + 1, .y = 0, .width = cells, .height = 1}));
    }
    const std::string version = !device.is_on ? "off" : device.version.empty() ? "boot" : device.version;
    row.text_right(0, version, {.ink = device.version.empty() ? Ink::kDim : slot_ink(device.slot)});
  }
}

std::string committed_text(const Scene& scene) {
  if (scene.devices().size() != 1) return {};
  const SceneFlash& flash = scene.devices().front().flash;
  for (std::size_t slot = 0; slot < kShownSlots.size(); ++slot)
    if (flash.record.committed == kSlotNames[slot])
      return fmt::format("\u25C6 {} in force", flash.versions[slot]);
  return {};
}

void draw_flash_pane(const Scene& scene, const Dials& dials, Region pane, Region content) {
  const std::string committed = committed_text(scene);
  draw_frame(pane, "flash", Ink::kBoot, committed, {.ink = Ink::kGood, .bold = true});
  if (scene.devices().size() == 1) {
    const std::string problem =
        scene.run().devices.empty() ? std::string() : scene.run().devices.front().flash_problem;
    return draw_flash(scene.devices().front(), problem, dials.cell_bytes, content);
  }
  draw_fleet_flash(scene, dials.cell_bytes, content);
}

// --- the link ---

/// Bars over one row or two.
void draw_traffic(const std::vector<std::uint64_t>& bytes, std::size_t past, char32_t sign, std::uint64_t sum,
                  Ink ink, Region pane) {
  constexpr int kSteps = 8;
  const int bottom = pane.height() - 1;
  const std::uint64_t most = bytes.empty() ? 0 : *std::ranges::max_element(bytes);
  pane.glyph(0, bottom, sign, {.ink = ink});
  for (std::size_t i = 0; i < bytes.size() && i < past; ++i) {
    const int x = 2 + static_cast<int>(i);
    if (bytes[i] == 0 || most == 0) {
      pane.glyph(x, bottom, U'\u2581', kFaint);
      continue;
    }
    const double part = std::sqrt(static_cast<double>(bytes[i]) / static_cast<double>(most));
    int height = std::max(1, static_cast<int>(std::lround(part * kSteps * pane.height())));
    for (int y = bottom; height > 0; --y, height -= kSteps)
      pane.glyph(x, y, static_cast<char32_t>(0x2580 + std::min(height, kSteps)), {.ink = ink});
  }
  pane.inner({.x = 0, .y = bottom, .width = pane.width(), .height = 1}).text_right(0, size_text(sum), kDim);
}

Style mark_style(char32_t mark) {
  return {.ink = mark == U'\u25B2' ? Ink::kFault : Ink::kBoot};
}

void draw_link(const Scene& scene, const Dials& dials, Region pane) {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
  for (const SceneDevice& device : scene.devices()) {
    up += device.bytes_up;
    down += device.bytes_down;
  }
  const Traffic& traffic = dials.traffic;
  const auto rows = [&](int y, int count) {
    return pane.inner({.x = 0, .y = y, .width = pane.width(), .height = count});
  };
  const int up_rows = pane.height() > 4 ? 2 : 1;
  draw_traffic(traffic.down, dials.columns_past, U'\u2193', down, Ink::kAccent, rows(0, 2));
  draw_traffic(traffic.up, dials.columns_past, U'\u2191', up, Ink::kCloud, rows(2, up_rows));
  Region marks = rows(2 + up_rows, 1);
  for (std::size_t i = 0; i < traffic.marks.size() && i < dials.columns_past; ++i)
    marks.glyph(2 + static_cast<int>(i), 0, traffic.marks[i], mark_style(traffic.marks[i]));
  marks.text_right(0, "\u25B4 boot", {.ink = Ink::kBoot});
}

struct LinkState {
  std::string text;
  Ink ink;
};

LinkState link_state(const Scene& scene) {
  const auto& devices = scene.devices();
  const bool is_disturbed = std::ranges::any_of(
      scene.faults(), [](const std::string& fault) { return fault.starts_with("link."); });
  if (is_disturbed) return {"\u25B2 disturbed", Ink::kFault};
  if (devices.size() != 1) {
    const auto connected = std::ranges::count_if(devices, &SceneDevice::is_connected);
    return {fmt::format("{} of {} connected", connected, devices.size()), Ink::kAccent};
  }
  const SceneDevice& one = devices.front();
  if (one.is_connected) return {"\u25CF MQTT over TLS", Ink::kGood};
  if (!one.address.empty()) return {"\u25CB " + one.address, Ink::kAccent};
  return {"\u25CB no address", Ink::kDim};
}

}  // namespace

int slot_cells(const Layout& layout) {
  return inside(layout.flash).width - kSlotLabel - kSlotText - 2;
}

void draw(const Scene& scene, const Dials& dials, const Layout& layout, Grid& grid) {
  grid.all().fill({});
  draw_header(scene, dials, grid.region(layout.header));
  draw_console_pane(scene, grid.region(layout.console), grid.region(inside(layout.console)));
  draw_frame(grid.region(layout.job), "job", Ink::kCloud, scene.job(), {.ink = Ink::kText});
  draw_job(scene, grid.region(inside(layout.job)));
  draw_flash_pane(scene, dials, grid.region(layout.flash), grid.region(inside(layout.flash)));
  const LinkState link = link_state(scene);
  draw_frame(grid.region(layout.link), "link", Ink::kAccent, link.text, {.ink = link.ink, .bold = true});
  draw_link(scene, dials, grid.region(inside(layout.link)));
  draw_caption(scene, grid.region(layout.caption));
  draw_footer(dials, grid.region(layout.footer));
}

}  // namespace otasim::report::cast
