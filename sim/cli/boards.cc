// `otasim boards`: the boards there are, and what each is capable of.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/cli/table.h"
#include "sim/lab/boards.h"

namespace otasim::cli {
namespace {

struct BoardsOptions {
  bool json = false;
};

nlohmann::json json_of(const lab::Board& board) {
  return {{"name", board.name},
          {"cpu", board.cpu.name},
          {"boot_rom", {{"address", board.boot_rom.address}, {"size_bytes", board.boot_rom.size}}},
          {"load_address", board.load_address},
          {"nic", board.nic_model},
          {"capabilities", board.capabilities}};
}

Result<void> boards(const BoardsOptions& options) {
  if (options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const lab::Board& board : lab::boards()) list.push_back(json_of(board));
    fmt::print("{}\n", list.dump());
    return {};
  }
  std::vector<TableRow> rows{{"NAME", "CPU", "BOOT ROM", "LOADS TO", "NIC", "CAPABILITIES"}};
  for (const lab::Board& board : lab::boards()) {
    rows.push_back({std::string(board.name), std::string(board.cpu.name),
                    fmt::format("{:#010x} {} KiB", board.boot_rom.address, board.boot_rom.size / 1024),
                    fmt::format("{:#010x}", board.load_address), std::string(board.nic_model),
                    fmt::format("{}", fmt::join(board.capabilities, ", "))});
  }
  fmt::print("{}", format_table(rows));
  return {};
}

}  // namespace

void add_boards(CLI::App& app, Command& command) {
  static BoardsOptions options;
  CLI::App* const boards_command =
      app.add_subcommand("boards", "List the boards, and what scenarios may need of them");
  boards_command->add_flag("--json", options.json, "As JSON");
  boards_command->callback([&command] { command = [] { return boards(options); }; });
}

}  // namespace otasim::cli
