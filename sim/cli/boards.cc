// `otasim boards`: the boards there are, what each is capable of, and which faults its flash can express.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/json.h"
#include "sim/cli/command.h"
#include "sim/cli/table.h"
#include "sim/flash/back_end.h"
#include "sim/lab/boards.h"

namespace otasim::cli {
namespace {

struct BoardsOptions {
  bool faults = false;
  bool json = false;
};

nlohmann::json json_of(const lab::Board& board) {
  return {{"name", board.name},
          {"cpu", board.cpu.name},
          {"boot_rom", {{"address", board.boot_rom.address}, {"size_bytes", board.boot_rom.size}}},
          {"load_address", board.load_address},
          {"ram", {{"address", board.ram.address}, {"size_bytes", board.ram.size}}},
          {"nic", board.nic_model},
          {"flash", to_string(board.flash)},
          {"watchdog", board.watchdog == lab::Watchdog::kCmsdk ? "internal" : "external"},
          {"capabilities", board.capabilities},
          {"weakness", board.weakness}};
}

void print_boards() {
  std::vector<TableRow> rows{{"NAME", "CPU", "BOOT ROM", "LOADS TO", "RAM", "NIC", "FLASH", "CAPABILITIES"}};
  for (const lab::Board& board : lab::boards()) {
    const auto size = [](const lab::MemoryRange& range) {
      return fmt::format("{:#010x} {} KiB", range.address, range.size / 1024);
    };
    rows.push_back({std::string(board.name), std::string(board.cpu.name), size(board.boot_rom),
                    fmt::format("{:#010x}", board.load_address), size(board.ram),
                    std::string(board.nic_model), std::string(to_string(board.flash)),
                    fmt::format("{}", fmt::join(board.capabilities, ", "))});
  }
  fmt::print("{}", format_table(rows));
}

nlohmann::json faults_json() {
  nlohmann::json list = nlohmann::json::array();
  for (const flash_file::FaultSupport& fault : flash_file::fault_support()) {
    nlohmann::json boards = nlohmann::json::object();
    for (const lab::Board& board : lab::boards()) {
      const flash_file::Support& support = fault.on(board.flash);
      boards[std::string(board.name)] = {{"possible", support.is_possible}, {"note", support.note}};
    }
    list.push_back({{"fault", fault.fault}, {"boards", std::move(boards)}});
  }
  return list;
}

/// A column for each board, and below what a no, or a yes with a star, means.
void print_faults() {
  TableRow head{"FAULT"};
  for (const lab::Board& board : lab::boards()) head.emplace_back(board.name);
  std::vector<TableRow> rows{std::move(head)};
  std::string notes;
  for (const flash_file::FaultSupport& fault : flash_file::fault_support()) {
    TableRow row{std::string(fault.fault)};
    for (const lab::Board& board : lab::boards()) {
      const flash_file::Support& support = fault.on(board.flash);
      row.emplace_back(!support.is_possible ? "no" : support.note.empty() ? "yes" : "yes *");
      if (!support.note.empty()) notes += fmt::format("{}, {}: {}\n", fault.fault, board.name, support.note);
    }
    rows.push_back(std::move(row));
  }
  for (const lab::Board& board : lab::boards())
    if (!board.weakness.empty()) notes += fmt::format("{}: {}\n", board.name, board.weakness);
  fmt::print("{}\n{}Faults that are not listed do not depend on the flash: every board has them.\n",
             format_table(rows), notes);
}

Result<void> boards(const BoardsOptions& options) {
  if (!options.json) {
    options.faults ? print_faults() : print_boards();
    return {};
  }
  if (options.faults) {
    fmt::print("{}\n", faults_json().dump());
    return {};
  }
  nlohmann::json list = nlohmann::json::array();
  for (const lab::Board& board : lab::boards()) list.push_back(json_of(board));
  fmt::print("{}\n", list.dump());
  return {};
}

}  // namespace

void add_boards(CLI::App& app, Command& command) {
  static BoardsOptions options;
  CLI::App* const boards_command =
      app.add_subcommand("boards", "List the boards, and what scenarios may need of them");
  boards_command->add_flag("--faults", options.faults, "Which faults each board's flash can express");
  boards_command->add_flag("--json", options.json, "As JSON");
  boards_command->callback([&command] { command = [] { return boards(options); }; });
}

}  // namespace otasim::cli
