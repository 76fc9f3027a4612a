// The scenarios that come with otasim, and the cells that a choice of them makes.
//
//   auto entries = find_scenarios({"OTAE2EGreaterVersion", "my/case.jsonc"});
//   auto cells = plan_cells(*entries, {.boards = {"mps2-an385"}});
//
// They stand beside the program (build/<preset>/scenarios/*.jsonc).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

inline constexpr const char* kExtension = ".jsonc";

/// A scenario's head, without its steps.
struct Entry {
  std::string path;
  std::string name;
  std::string asked_as;  ///< what finds it again: its name, or the path it was given as
  std::string title;
  std::string kind;
  bool is_slow = false;
  std::vector<std::string> boards;  ///< that it runs on, of those there are
  std::vector<std::string> data;
  std::map<std::string, std::string> left_out = {};  ///< boards of those that cannot play it, and why
};

/// All that come with otasim, by name. @returns kEnvironment if they are not there, kUsage if one is wrong
[[nodiscard]] Result<std::vector<Entry>> library();
/// @param names  of library scenarios, or paths of files; empty: the whole library
/// @returns kUsage for a name that is none's, with the nearest one
[[nodiscard]] Result<std::vector<Entry>> find_scenarios(const std::vector<std::string>& names);

struct CellChoice {
  std::vector<std::string> boards = {};  ///< empty: all
  bool first_board_only = false;         ///< of those that can play a scenario
  std::vector<std::string> data = {};    ///< empty: both
  std::string filter = {};               ///< part of the name, or `*` patterns
  std::vector<std::string> kinds = {};   ///< empty: all
  bool with_slow = true;
};

struct PlannedCell {
  Entry entry;
  Cell cell;
  /// "OTAE2EGreaterVersion/mps2-an385/mqtt"
  [[nodiscard]] std::string name() const { return entry.name + '/' + cell.board + '/' + cell.data; }
  /// "OTAE2EGreaterVersion --board mps2-an385 ...": what chooses it, and it alone.
  [[nodiscard]] std::string words() const;
  /// The command that runs it.
  [[nodiscard]] std::string command() const { return "otasim run " + words(); }
};

/// Why a choice of boards leaves no cell, if that is because none of them can play a scenario; else empty.
[[nodiscard]] std::string why_left_out(const std::vector<Entry>& entries, const CellChoice& choice);

/// `text` as one word of a shell's command line.
[[nodiscard]] std::string shell_word(const std::string& text);

/// The cells of a choice, in order: scenario, board, protocol.
[[nodiscard]] std::vector<PlannedCell> plan_cells(const std::vector<Entry>& entries, const CellChoice& choice,
                                                  std::uint64_t seed);

}  // namespace otasim::scenario
