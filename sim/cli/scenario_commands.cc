// `otasim scenario`: the library, and files of one's own.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/install_root.h"
#include "sim/base/json.h"
#include "sim/cli/command.h"
#include "sim/cli/table.h"
#include "sim/lab/boards.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

constexpr const char* kTemplate = R"(// What this case proves, in a sentence or two.
{{
  "$schema": "{schema}",
  "name": "{name}",
  "title": "An update that loses its broker on the way, and arrives",
  "images": {{
    "factory": {{"version": "0.9.0"}},
    "update": {{"version": "0.9.1"}}
  }},
  "steps": [
    {{"wait": {{"for": {{"event": "broker.client_connected", "clientId": "thing-1"}}}}}},
    {{"update": {{"id": "u1", "image": "update"}}}},
    {{"wait": {{"for": {{"event": "cloud.job_execution", "job": "AFR_OTA-u1", "status": "IN_PROGRESS"}}}}}},
    {{"fault": {{"broker.kick": {{"device": "thing-1"}}}}}},
    {{"wait": {{"for": {{"event": "cloud.job_execution", "job": "AFR_OTA-u1", "status": "SUCCEEDED"}}}}}}
  ],
  "expect": {{
    "jobs": [{{"job": "AFR_OTA-u1", "status": "SUCCEEDED", "reason": {{"contains": "0.9.1"}}}}],
    "devices": [{{"image": "update", "running": "0.9.1"}}],
    "refused_by": []
  }}
}}
)";

struct Options {
  std::vector<std::string> names;
  std::string file;
  bool json = false;
  bool ctest = false;
};

Result<void> list(const Options& options) {
  const auto entries = scenario::library();
  if (!entries) return tl::unexpected(entries.error());
  if (options.json) {
    json all = json::array();
    for (const scenario::Entry& entry : *entries) {
      all.push_back({{"name", entry.name},
                     {"title", entry.title},
                     {"class", entry.kind},
                     {"slow", entry.is_slow},
                     {"boards", entry.boards},
                     {"data", entry.data},
                     {"path", entry.path}});
    }
    fmt::print("{}\n", all.dump());
    return {};
  }
  std::vector<TableRow> rows{{"NAME", "CLASS", "DATA", "WHAT"}};
  for (const scenario::Entry& entry : *entries) {
    rows.push_back({entry.name, entry.is_slow ? entry.kind + ", slow" : entry.kind,
                    fmt::format("{}", fmt::join(entry.data, ",")), entry.title});
  }
  fmt::print("{}", format_table(rows));
  return {};
}

/// What the build includes into ctest: a test for each cell.
Result<void> list_for_ctest() {
  const auto entries = scenario::library();
  if (!entries) return tl::unexpected(entries.error());
  const auto root = install_root();
  if (!root) return tl::unexpected(root.error());
  const std::string program = (*root / "bin" / "otasim").string();
  const std::string quick_board(lab::boards().front().name);
  for (const scenario::PlannedCell& cell : plan_cells(*entries, {}, 1)) {
    const bool is_quick = cell.entry.kind == "aws" && cell.cell.board == quick_board && !cell.entry.is_slow;
    const std::string short_board = cell.cell.board.substr(cell.cell.board.rfind('-') + 1);
    fmt::print("add_test(\"{}\" \"{}\" run \"{}\" --board {} --data {} --quiet --discard-passed)\n",
               cell.name(), program, cell.entry.name, cell.cell.board, cell.cell.data);
    fmt::print("set_tests_properties(\"{}\" PROPERTIES LABELS \"{};e2e;{};{};{}{}\" TIMEOUT {})\n",
               cell.name(), is_quick ? "quick" : "full", short_board, cell.cell.data, cell.entry.kind,
               cell.entry.is_slow ? ";slow" : "", cell.entry.is_slow ? 1800 : 120);
  }
  return {};
}

Result<void> check(const Options& options) {
  const auto entries = scenario::find_scenarios(options.names);
  if (!entries) return tl::unexpected(entries.error());
  // Each over each protocol: what counts only there is checked, too.
  for (const scenario::PlannedCell& cell : plan_cells(*entries, {}, 1)) {
    const auto loaded = scenario::Scenario::load(cell.entry.path, cell.cell);
    if (!loaded) return tl::unexpected(loaded.error());
  }
  json all = json::array();
  for (const scenario::Entry& entry : *entries) {
    all.push_back({{"path", entry.path}, {"ok", true}});
    if (!options.json) fmt::print("{}: ok\n", entry.path);
  }
  if (options.json) fmt::print("{}\n", all.dump());
  return {};
}

Result<std::string> schema_path() {
  const auto entries = scenario::library();
  if (!entries || entries->empty()) return std::string("scenario.schema.json");
  return (std::filesystem::path(entries->front().path).parent_path() / "scenario.schema.json").string();
}

Result<void> make_new(const Options& options) {
  std::filesystem::path path = options.file;
  if (path.extension().empty()) path += scenario::kExtension;
  const std::string name = path.stem().string();
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (path.extension() != scenario::kExtension || name.find_first_not_of(kPlain) != std::string::npos) {
    return fail(ExitCode::kUsage, fmt::format("'{}' cannot be a scenario's file", path.string()),
                fmt::format("Its name is letters, digits, '-', '_' and '.', and ends with {}.",
                            scenario::kExtension));
  }
  if (std::filesystem::exists(path)) {
    return fail(ExitCode::kUsage, fmt::format("'{}' exists already", path.string()), "Choose another name.");
  }
  const auto schema = schema_path();
  const std::string text = fmt::format(kTemplate, fmt::arg("schema", *schema), fmt::arg("name", name));
  if (auto written = write_file_atomic(path.string(), text); !written) {
    written.error().code = ExitCode::kUsage;
    return written;
  }
  if (options.json) {
    fmt::print("{}\n", json{{"path", path.string()}}.dump());
    return {};
  }
  fmt::print("{}: written; edit it, then: otasim scenario check {}; otasim run {}\n", path.string(),
             path.string(), path.string());
  return {};
}

}  // namespace

void add_scenario(CLI::App& app, Command& command) {
  static Options options;
  CLI::App* scenario = app.add_subcommand("scenario", "The scenarios there are, and new ones");
  scenario->require_subcommand(1);

  CLI::App* list_command = scenario->add_subcommand("list", "List the scenarios that come with otasim");
  list_command->add_flag("--json", options.json, "As JSON");
  list_command->add_flag("--ctest", options.ctest, "As tests that ctest includes");
  list_command->callback(
      [&command] { command = [] { return options.ctest ? list_for_ctest() : list(options); }; });

  CLI::App* check_command = scenario->add_subcommand("check", "Check files without playing them");
  check_command->add_option("SCENARIO", options.names, "Names or files (default: the whole library)");
  check_command->add_flag("--json", options.json, "Print JSON on stdout");
  check_command->callback([&command] { command = [] { return check(options); }; });

  CLI::App* new_command = scenario->add_subcommand("new", "Write a first scenario to start from");
  new_command->add_option("FILE", options.file, "File to make; its name is the scenario's")->required();
  new_command->add_flag("--json", options.json, "Print JSON on stdout");
  new_command->callback([&command] { command = [] { return make_new(options); }; });

  CLI::App* schema_command = scenario->add_subcommand("schema", "Print the JSON schema, for editors");
  schema_command->callback([&command] {
    command = [] {
      fmt::print("{}\n", json_schema(scenario::scenario_shape()).dump(2));
      return Result<void>{};
    };
  });
}

}  // namespace otasim::cli
