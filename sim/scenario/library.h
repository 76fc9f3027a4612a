// The scenarios that come with otasim, and the cells that a choice of them makes.
//
//   auto entries = find_scenarios({"OTAE2EGreaterVersion", "my/case.jsonc"});
//   auto cells = plan_cells(*entries, {.boards = {"mps2-an385"}});
//
// They stand beside the program (build/<preset>/scenarios/*.jsonc).
#pragma once

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
  std::string title;
  std::string kind;
  bool is_slow = false;
  std::vector<std::string> boards;  ///< that it runs on, of those there are
  std::vector<std::string> data;
};

/// All that come with otasim, by name. @returns kEnvironment if they are not there, kUsage if one is wrong
[[nodiscard]] Result<std::vector<Entry>> library();
/// @param names  of library scenarios, or paths of files; empty: the whole library
/// @returns kUsage for a name that is none's, with the nearest one
[[nodiscard]] Result<std::vector<Entry>> find_scenarios(const std::vector<std::string>& names);

struct CellChoice {
  std::vector<std::string> boards = {};  ///< empty: all
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
  /// The command that runs it, and it alone.
  [[nodiscard]] std::string command() const;
};

/// The cells of a choice, in order: scenario, board, protocol.
[[nodiscard]] std::vector<PlannedCell> plan_cells(const std::vector<Entry>& entries, const CellChoice& choice,
                                                  std::uint64_t seed);

}  // namespace otasim::scenario
