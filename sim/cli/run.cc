// `otasim run`: plays scenarios, one cell after the other, each in a lab and a folder of its own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/base/file_io.h"
#include "sim/cli/command.h"
#include "sim/cli/run_folder.h"
#include "sim/cli/scenario_result.h"
#include "sim/lab/boards.h"
#include "sim/report/event_log.h"
#include "sim/report/terminal_view.h"
#include "sim/scenario/fault_text.h"
#include "sim/scenario/library.h"
#include "sim/scenario/scenario_run.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

struct RunOptions {
  std::vector<std::string> scenarios;
  std::vector<std::string> boards;
  std::vector<std::string> data;
  std::vector<std::string> parameters;
  std::vector<std::string> faults;
  std::uint64_t seed = 1;
  std::string out;
  std::string junit;
  bool discard_passed = false;
  bool json = false;
  bool quiet = false;
};

/// "NAME=VALUE"; a value that is a number, true or false is one, anything else a text.
Result<json> parse_parameters(const std::vector<std::string>& texts) {
  json parameters = json::object();
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ExitCode::kUsage, fmt::format("--set '{}' is not NAME=VALUE", text));
    }
    const std::string value = text.substr(equals + 1);
    const json parsed = json::parse(value, nullptr, false);
    parameters[text.substr(0, equals)] =
        parsed.is_primitive() && !parsed.is_discarded() ? parsed : json(value);
  }
  return parameters;
}

Result<std::vector<json>> parse_faults(const std::vector<std::string>& texts) {
  std::vector<json> faults;
  for (const std::string& text : texts) {
    auto fault = scenario::parse_fault(text);
    if (!fault) return tl::unexpected(fault.error());
    faults.push_back(std::move(*fault));
  }
  return faults;
}

/// Plays one cell, and leaves its result in its folder.
class CellRunner {
 public:
  CellRunner(const RunOptions& options, json parameters, std::vector<json> faults)
      : options_(options), parameters_(std::move(parameters)), faults_(std::move(faults)) {}

  Result<CellResult> run(const scenario::PlannedCell& planned, bool is_only_one) {
    auto scenario = scenario::Scenario::load(planned.entry.path, planned.cell, parameters_);
    if (!scenario) return tl::unexpected(scenario.error());
    const std::string name =
        fmt::format("{}-{}-{}", planned.entry.name, planned.cell.board, planned.cell.data);
    const std::string wanted = options_.out.empty() || is_only_one ? options_.out : options_.out + '/' + name;
    const auto folder = make_run_folder(wanted, name);
    if (!folder) return tl::unexpected(folder.error());
    auto result = play(planned, std::move(*scenario), *folder);
    if (!result) {
      Error error = result.error();
      if (!error.hint.empty()) error.hint += '\n';
      error.hint += fmt::format("The run folder is {}.", *folder);
      return tl::unexpected(std::move(error));
    }
    const json summary = to_json(*result);
    if (auto written = write_file_atomic(*folder + "/result.json", summary.dump(2) + "\n"); !written) {
      return tl::unexpected(written.error());
    }
    std::error_code ignored;
    if (options_.discard_passed && result->passed()) std::filesystem::remove_all(*folder, ignored);
    return result;
  }

 private:
  Result<CellResult> play(const scenario::PlannedCell& planned, scenario::Scenario scenario,
                          const std::string& folder) {
    const auto log = report::EventLog::create(folder + "/events.jsonl");
    if (!log) return tl::unexpected(log.error());
    report::TerminalView::Style style = report::TerminalView::style_for(stderr);
    style.fleet = scenario.devices.size() > 1;
    report::TerminalView view(stderr, style);
    if (!options_.quiet) {
      fmt::print(stderr, "{}: {}\n", planned.name(), scenario.title);
      (*log)->listen([&view](const json& event) { view.show(event); });
    }
    const scenario::RunPlan plan{
        .scenario = std::move(scenario), .cell = planned.cell, .folder = folder, .faults = faults_};
    auto outcome = scenario::play(plan, **log);
    view.finish();
    if (!outcome) return tl::unexpected(outcome.error());
    std::string repeat = planned.command();
    for (const std::string& text : options_.parameters) repeat += fmt::format(" --set '{}'", text);
    for (const std::string& text : options_.faults) repeat += fmt::format(" --fault '{}'", text);
    return CellResult{.scenario = planned.entry.name,
                      .kind = planned.entry.kind,
                      .board = planned.cell.board,
                      .data = planned.cell.data,
                      .seed = planned.cell.seed,
                      .result = outcome->passed() ? "passed" : "failed",
                      .failures = std::move(outcome->failures),
                      .wall_ms = outcome->wall_ms,
                      .jobs = std::move(outcome->jobs),
                      .devices = std::move(outcome->devices),
                      .run = folder,
                      .repeat = std::move(repeat)};
  }

  const RunOptions& options_;
  json parameters_;
  std::vector<json> faults_;
};

Result<void> run(const RunOptions& options) {
  const auto parameters = parse_parameters(options.parameters);
  if (!parameters) return tl::unexpected(parameters.error());
  const auto faults = parse_faults(options.faults);
  if (!faults) return tl::unexpected(faults.error());
  const auto entries = scenario::find_scenarios(options.scenarios);
  if (!entries) return tl::unexpected(entries.error());
  const auto cells = plan_cells(*entries, {.boards = options.boards, .data = options.data}, options.seed);
  if (cells.empty()) {
    return fail(ExitCode::kUsage, "none of these scenarios runs on this board over this protocol",
                "otasim scenario list tells where each one runs.");
  }
  CellRunner runner(options, *parameters, *faults);
  std::vector<CellResult> results;
  for (const scenario::PlannedCell& cell : cells) {
    auto result = runner.run(cell, cells.size() == 1);
    if (!result) return tl::unexpected(result.error());
    if (options.json) {
      fmt::print("{}\n", to_json(*result).dump());
    } else {
      print(*result);
    }
    std::fflush(stdout);
    results.push_back(std::move(*result));
  }
  if (!options.junit.empty()) {
    if (auto written = write_file_atomic(options.junit, junit_of(results)); !written) return written;
  }
  return verdict_of(results);
}

}  // namespace

void add_run(CLI::App& app, Command& command) {
  static RunOptions options;
  CLI::App* run_command = app.add_subcommand("run", "Play scenarios and judge them");
  run_command->add_option("SCENARIO", options.scenarios, "Names of the library's, or files")->required();
  run_command
      ->add_option("--board", options.boards, "Boards to run on (default: all that the scenario runs on)")
      ->check(CLI::IsMember(lab::board_names()));
  run_command->add_option("--data", options.data, "Data protocols (default: all of the scenario's)")
      ->check(CLI::IsMember({"mqtt", "http"}));
  run_command->add_option("--set", options.parameters,
                          "NAME=VALUE: replaces a parameter of the scenario (repeatable)");
  run_command->add_option("--fault", options.faults,
                          "Arms a fault: NAME,MEMBER=VALUE,... or its JSON; see docs/faults.md (repeatable)");
  run_command->add_option("--seed", options.seed, "Seed of entropy and chance")->capture_default_str();
  run_command->add_option("--out", options.out, "Run folder to make (default: otasim-runs/TIME-NAME)");
  run_command->add_option("--junit", options.junit, "Write the results to this file as JUnit XML");
  run_command->add_flag("--discard-passed", options.discard_passed,
                        "Remove the run folder of a run that passed");
  run_command->add_flag("--json", options.json, "Print one JSON object a run on stdout");
  run_command->add_flag("--quiet", options.quiet, "Show the results only");
  run_command->callback([&command] { command = [] { return run(options); }; });
}

}  // namespace otasim::cli
