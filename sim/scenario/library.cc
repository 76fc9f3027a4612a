#include "sim/scenario/library.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "sim/base/install_root.h"
#include "sim/lab/boards.h"
#include "sim/scenario/board_needs.h"

namespace otasim::scenario {
namespace {

namespace fs = std::filesystem;

Result<Entry> read_entry(const std::string& path) {
  const Cell any;
  const auto scenario = Scenario::load(path, any);
  if (!scenario) return tl::unexpected(scenario.error());
  Entry entry{.path = path,
              .name = scenario->name,
              .asked_as = scenario->name,
              .title = scenario->title,
              .kind = scenario->kind,
              .is_slow = scenario->is_slow,
              .boards = scenario->boards,
              .data = scenario->data};
  if (entry.boards.empty()) entry.boards = lab::board_names();
  for (const std::string& name : entry.boards) {
    const lab::Board& board = *lab::find_board(name);
    if (!why_not(*scenario, board)) continue;
    // What stands in its way may be a step for other boards only.
    const auto for_board = Scenario::load(path, {.board = name});
    if (!for_board) return tl::unexpected(for_board.error());
    if (auto reason = why_not(*for_board, board)) entry.left_out.emplace(name, std::move(*reason));
  }
  std::erase_if(entry.boards, [&entry](const std::string& name) { return entry.left_out.contains(name); });
  return entry;
}

Result<fs::path> library_folder() {
  const auto root = install_root();
  if (!root) return tl::unexpected(root.error());
  const fs::path folder = *root / "scenarios";
  if (fs::is_directory(folder)) return folder;
  return fail(ExitCode::kEnvironment, fmt::format("there are no scenarios in '{}'", folder.string()),
              "Build otasim with scripts/build.");
}

bool looks_like_path(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(kExtension) || name.ends_with(".json");
}

bool matches_filter(const std::string& name, const std::string& filter) {
  if (filter.empty()) return true;
  if (filter.find_first_of("*?[") == std::string::npos) return name.find(filter) != std::string::npos;
  return fnmatch(filter.c_str(), name.c_str(), 0) == 0;
}

bool is_chosen(const std::vector<std::string>& choice, const std::string& one) {
  return choice.empty() || std::ranges::find(choice, one) != choice.end();
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + '\'';
}

std::string PlannedCell::words() const {
  return fmt::format("{} --board {} --data {} --seed {}", shell_word(entry.asked_as), cell.board, cell.data,
                     cell.seed);
}

Result<std::vector<Entry>> library() {
  const auto folder = library_folder();
  if (!folder) return tl::unexpected(folder.error());
  std::vector<Entry> entries;
  for (const auto& file : fs::directory_iterator(*folder)) {
    if (file.path().extension() != kExtension) continue;
    auto entry = read_entry(file.path().string());
    if (!entry) return tl::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

Result<std::vector<Entry>> find_scenarios(const std::vector<std::string>& names) {
  if (names.empty()) return library();
  const auto folder = library_folder();
  std::vector<Entry> entries;
  for (const std::string& name : names) {
    std::string path = name;
    if (!looks_like_path(name)) {
      if (!folder) return tl::unexpected(folder.error());
      path = (*folder / (name + kExtension)).string();
      if (!fs::exists(path)) {
        std::vector<std::string> stems;
        for (const auto& file : fs::directory_iterator(*folder)) {
          if (file.path().extension() == kExtension) stems.push_back(file.path().stem().string());
        }
        const std::vector<std::string_view> known(stems.begin(), stems.end());
        const std::string near = nearest(name, known);
        return fail(ExitCode::kUsage, fmt::format("there is no scenario '{}'", name),
                    near.empty()
                        ? "otasim scenario list shows them; a file of your own is named with its path."
                        : fmt::format("Did you mean '{}'?", near));
      }
    }
    auto entry = read_entry(path);
    if (!entry) return tl::unexpected(entry.error());
    entry->asked_as = name;
    entries.push_back(std::move(*entry));
  }
  return entries;
}

std::string why_left_out(const std::vector<Entry>& entries, const CellChoice& choice) {
  for (const Entry& entry : entries) {
    for (const auto& [board, reason] : entry.left_out) {
      if (is_chosen(choice.boards, board))
        return fmt::format("{} leaves {} out: {}.", entry.name, board, reason);
    }
  }
  return {};
}

std::vector<PlannedCell> plan_cells(const std::vector<Entry>& entries, const CellChoice& choice,
                                    std::uint64_t seed) {
  std::vector<PlannedCell> cells;
  for (const Entry& entry : entries) {
    if (!matches_filter(entry.name, choice.filter) || !is_chosen(choice.kinds, entry.kind)) continue;
    if (entry.is_slow && !choice.with_slow) continue;
    for (const std::string& board : entry.boards) {
      if (!is_chosen(choice.boards, board)) continue;
      for (const std::string& data : entry.data) {
        if (is_chosen(choice.data, data))
          cells.push_back({entry, {.board = board, .data = data, .seed = seed}});
      }
      if (choice.first_board_only) break;
    }
  }
  return cells;
}

}  // namespace otasim::scenario
