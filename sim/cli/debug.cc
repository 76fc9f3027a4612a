// `otasim debug`: plays a scenario with one of its devices under gdb-multiarch.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/cli/cell_options.h"
#include "sim/cli/cell_results.h"
#include "sim/cli/command.h"
#include "sim/cli/run.h"
#include "sim/cli/run_folder.h"
#include "sim/debug/debug_session.h"
#include "sim/lab/boards.h"
#include "sim/report/event_log.h"
#include "sim/scenario/fault_text.h"
#include "sim/scenario/library.h"
#include "sim/scenario/scenario_run.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

struct DebugCommandOptions {
  std::string scenario;
  std::string board;
  std::string data;
  std::uint64_t seed = 1;
  std::vector<std::string> parameters;
  std::vector<std::string> faults;
  bool strict_flash = false;
  std::string device;
  std::string at;
  std::string vscode;
  bool has_vscode = false;
  bool no_gdb = false;
  bool quiet = false;
  std::vector<std::string> commands;
  std::string script;
  bool batch = false;
  std::string out;
};

Result<scenario::Scenario> scenario_of(const scenario::PlannedCell& planned,
                                       const DebugCommandOptions& options, const std::vector<json>& faults) {
  const auto parameters = parse_parameters(options.parameters);
  if (!parameters) return tl::unexpected(parameters.error());
  auto scenario = scenario::Scenario::load(planned.entry.path, planned.cell, *parameters);
  if (!scenario) return scenario;
  if (auto known = check_fault_options(*scenario, faults, options.faults); !known)
    return tl::unexpected(known.error());
  if (options.strict_flash) arm_strict_flash(*scenario);
  if (scenario::kills_simulator(*scenario))
    return fail(ExitCode::kUsage,
                fmt::format("{} kills its simulator, and with it the debugger", scenario->name),
                "Debug a scenario without the step kill_simulator.");
  return scenario;
}

Result<std::string> device_of(const scenario::Scenario& scenario, const std::string& wanted) {
  std::vector<std::string> names;
  for (const json& device : scenario.devices) names.push_back(device.at("name"));
  if (wanted.empty()) return names.front();
  if (std::ranges::count(names, wanted) != 0) return wanted;
  return fail(ExitCode::kUsage, fmt::format("{} has no device '{}'", scenario.name, wanted),
              fmt::format("There are: {}.", fmt::join(names, ", ")));
}

std::vector<std::string> gdb_arguments(const DebugCommandOptions& options) {
  std::vector<std::string> arguments;
  if (options.batch) arguments.emplace_back("--batch");
  if (!options.script.empty()) arguments.insert(arguments.end(), {"-x", options.script});
  for (const std::string& command : options.commands) arguments.insert(arguments.end(), {"-ex", command});
  return arguments;
}

Result<void> check(const DebugCommandOptions& options) {
  const bool has_commands = options.batch || !options.script.empty() || !options.commands.empty();
  if ((options.no_gdb || options.has_vscode) && has_commands)
    return fail(ExitCode::kUsage, "commands for GDB need a GDB that otasim starts",
                "Leave out --no-gdb and --vscode, or the commands.");
  if (options.script.empty() || std::filesystem::exists(options.script)) return {};
  return fail(ExitCode::kUsage, fmt::format("there is no file '{}'", options.script));
}

Result<void> debug(const DebugCommandOptions& options) {
  if (auto good = check(options); !good) return good;
  const auto planned = plan_one(options.scenario, options.board, options.data, options.seed);
  if (!planned) return tl::unexpected(planned.error());
  const auto faults = parse_faults(options.faults);
  if (!faults) return tl::unexpected(faults.error());
  auto scenario = scenario_of(*planned, options, *faults);
  if (!scenario) return tl::unexpected(scenario.error());
  std::optional<debug::StopPlace> at;
  if (!options.at.empty()) {
    auto place = debug::StopPlace::parse(options.at);
    if (!place) return tl::unexpected(place.error());
    at = std::move(*place);
  }
  const auto device = device_of(*scenario, options.device);
  if (!device) return tl::unexpected(device.error());
  auto products = lab::BuildProducts::find(planned->cell.board);
  if (!products) return tl::unexpected(products.error());
  const lab::Board* const board = lab::find_board(planned->cell.board);
  const bool starts_gdb = !options.no_gdb && !options.has_vscode;
  if (auto possible = debug::check_debug(*board, at, starts_gdb); !possible) return possible;
  const auto folder = make_run_folder(options.out, fmt::format("debug-{}-{}-{}", planned->entry.name,
                                                               planned->cell.board, planned->cell.data));
  if (!folder) return tl::unexpected(folder.error());
  const auto log = report::EventLog::create(*folder + "/events.jsonl");
  if (!log) return tl::unexpected(log.error());
  scenario::RunPlan plan{
      .scenario = std::move(*scenario), .cell = planned->cell, .folder = *folder, .faults = *faults};
  auto session = debug::DebugSession::make(
      {.run_folder = *folder,
       .device = *device,
       .board = board,
       .products = std::move(*products),
       .scenario = &plan.scenario,
       .at = std::move(at),
       .starts_gdb = starts_gdb,
       .gdb_arguments = gdb_arguments(options),
       .vscode_folder = options.has_vscode ? std::optional(options.vscode) : std::nullopt,
       .quiet = options.quiet});
  if (!session) return tl::unexpected(session.error());
  plan.debugger = session->get();
  fmt::print(stderr, "{}: {}\n", planned->name(), plan.scenario.title);
  auto outcome = scenario::play(plan, **log);
  if (!outcome && (*session)->ended_early()) {
    fmt::print(stderr, "otasim: the debugger has ended the run before its verdict; its folder is {}\n",
               *folder);
    return {};
  }
  if (!outcome) return tl::unexpected(outcome.error());
  const std::string words = cell_words(*planned, {options.parameters, options.faults, options.strict_flash});
  const CellResult result = result_of(*planned, std::move(*outcome), words, **log, *folder);
  if (auto written = write_file_atomic(*folder + "/result.json", to_json(result).dump(2) + "\n"); !written)
    return written;
  print(result);
  return verdict_of({result});
}

}  // namespace

void add_debug(CLI::App& app, Command& command) {
  static DebugCommandOptions options;
  CLI::App* debug_command = app.add_subcommand("debug", "Play a scenario with a device under gdb-multiarch");
  debug_command
      ->add_option("SCENARIO", options.scenario, "Name of a scenario that comes with otasim, or a file")
      ->required();
  debug_command->add_option("--board", options.board, "Board to run on (default: the first that it runs on)")
      ->check(CLI::IsMember(lab::board_names()));
  debug_command
      ->add_option("--data,--protocol", options.data, "Data protocol (default: the scenario's first)")
      ->check(CLI::IsMember({"mqtt", "http"}));
  debug_command->add_option("--seed", options.seed, "Seed of entropy and chance")->capture_default_str();
  debug_command
      ->add_option("--set", options.parameters,
                   "NAME=VALUE: replaces a parameter of the scenario (repeatable)")
      ->allow_extra_args(false);
  debug_command
      ->add_option("--fault", options.faults,
                   "Arms a fault: NAME,MEMBER=VALUE,... or its JSON; see docs/faults.md (repeatable)")
      ->allow_extra_args(false);
  debug_command->add_flag("--strict-flash", options.strict_flash,
                          "Undo and report writes to flash that bypass its commands");
  debug_command->add_option("--device", options.device, "Device to debug (default: the scenario's first)");
  debug_command->add_option("--at", options.at,
                            "Stop there instead of at the first instruction: an event (boot.verify, "
                            "cloud.job_execution:SUCCEEDED), op:N or line:TEXT");
  CLI::Option* vscode =
      debug_command
          ->add_option("--vscode", options.vscode,
                       "Write .vscode/launch.json into this folder (default: here) and wait for the editor")
          ->expected(0, 1)
          ->default_str(".");
  debug_command->add_flag("--no-gdb", options.no_gdb, "Start no GDB: print the address, and wait for one");
  debug_command->add_flag("--quiet", options.quiet, "Do not show the device's console in GDB");
  debug_command
      ->add_option("--ex", options.commands, "A command for GDB, once it has the target (repeatable)")
      ->allow_extra_args(false);
  debug_command->add_option("-x,--script", options.script,
                            "A file of commands for GDB, before those of --ex");
  debug_command->add_flag("--batch", options.batch, "GDB ends after its commands");
  debug_command->add_option("--out", options.out,
                            "Run folder to make (default: otasim-runs/TIME-debug-NAME-BOARD-PROTOCOL)");
  debug_command->callback([&command, vscode] {
    options.has_vscode = vscode->count() != 0;
    if (options.has_vscode && options.vscode.empty()) options.vscode = ".";
    command = [] { return debug(options); };
  });
}

}  // namespace otasim::cli
