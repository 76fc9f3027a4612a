// `otasim run`: plays scenarios, one cell after the other, each in a lab and a folder of its own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "sim/base/child_process.h"
#include "sim/base/file_io.h"
#include "sim/base/file_lock.h"
#include "sim/base/json.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/cell_options.h"
#include "sim/cli/cell_results.h"
#include "sim/cli/command.h"
#include "sim/cli/flash_keys.h"
#include "sim/cli/key_log.h"
#include "sim/cli/run.h"
#include "sim/cli/run_folder.h"
#include "sim/lab/boards.h"
#include "sim/report/cast/recording.h"
#include "sim/report/event_log.h"
#include "sim/report/html/html_report.h"
#include "sim/report/terminal_view.h"
#include "sim/report/trace/write_trace.h"
#include "sim/scenario/fault_text.h"
#include "sim/scenario/library.h"
#include "sim/scenario/recordable.h"
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
  bool record = false;
  bool strict_flash = false;
  bool discard_passed = false;
  bool json = false;
  bool quiet = false;
  bool snapshots = false;
  bool keylog = false;
  bool no_report = false;
  bool no_cast = false;
  std::string worker;  ///< run folder that a supervisor has made
};

/// The lab of a process that killed itself. The next process goes on with it and removes it at its end; where
/// none comes so far, it is removed here.
class LabLeftBehind {
 public:
  explicit LabLeftBehind(std::string run_folder) : run_folder_(std::move(run_folder)) {}
  LabLeftBehind(const LabLeftBehind&) = delete;
  LabLeftBehind& operator=(const LabLeftBehind&) = delete;
  ~LabLeftBehind() {
    if (!lab_) return;
    // What the process had started ends a moment after it, and would still write.
    boost::asio::io_context io;
    static_cast<void>(hold_with_children(io, run_folder_ + "/children.lock"));
  }

  /// @returns whether there is one to go on with; call when a process has ended
  [[nodiscard]] bool look() {
    const auto checkpoint = scenario::Checkpoint::look(run_folder_);
    if (!checkpoint || !*checkpoint) return false;
    if (!lab_) lab_ = TempDir::adopt((*checkpoint)->lab_folder);  // all processes of a run have the same
    return true;
  }

 private:
  std::string run_folder_;
  std::optional<TempDir> lab_;
};

/// Plays one cell, and leaves its result in its folder.
class CellRunner {
 public:
  CellRunner(const RunOptions& options, std::string program, json parameters, std::vector<json> faults)
      : options_(options),
        program_(std::move(program)),
        parameters_(std::move(parameters)),
        faults_(std::move(faults)) {}

  Result<CellResult> run(const scenario::PlannedCell& planned, bool is_only_one) {
    auto scenario = scenario::Scenario::load(planned.entry.path, planned.cell, parameters_);
    if (!scenario) return tl::unexpected(scenario.error());
    if (auto known = check_fault_options(*scenario, faults_, options_.faults); !known)
      return tl::unexpected(known.error());
    if (options_.strict_flash) arm_strict_flash(*scenario);
    const std::string title = scenario->title;
    const auto recordable = scenario::check_recordable(*scenario, planned.cell, faults_);
    if (options_.record && !recordable) return tl::unexpected(recordable.error());
    const std::string name =
        fmt::format("{}-{}-{}", planned.entry.name, planned.cell.board, planned.cell.data);
    const std::string wanted = options_.out.empty() || is_only_one ? options_.out : options_.out + '/' + name;
    const auto folder =
        options_.worker.empty() ? make_run_folder(wanted, name) : Result<std::string>(options_.worker);
    if (!folder) return tl::unexpected(folder.error());
    auto result = options_.worker.empty() && kills_simulator(*scenario)
                      ? play_supervised(planned, *folder)
                      : play(planned, std::move(*scenario), *folder);
    if (!result) {
      Error error = result.error();
      if (!error.hint.empty()) error.hint += '\n';
      error.hint += fmt::format("The run folder is {}.", *folder);
      return tl::unexpected(std::move(error));
    }
    if (options_.record) {
      result->replay = fmt::format("otasim replay {} --gdb", scenario::shell_word(*folder));
    } else if (recordable) {
      // A run that fails ends with another code than 0, and its recording is wanted all the same.
      const std::string recorded = scenario::shell_word(*folder + "-recorded");
      result->replay =
          fmt::format("{0} --record --out {1}; otasim replay {1} --gdb", result->repeat, recorded);
    }
    const json summary = to_json(*result);
    if (auto written = write_file_atomic(*folder + "/result.json", summary.dump(2) + "\n"); !written) {
      return tl::unexpected(written.error());
    }
    leave_recording(*result, *folder, title);
    leave_report(*result, *folder);
    leave_trace(*result, *folder);
    if (options_.keylog && options_.worker.empty()) tell_key_log(*folder);
    std::error_code ignored;
    if (options_.discard_passed && result->passed()) {
      std::filesystem::remove_all(*folder, ignored);
      result->run.clear();
    }
    return result;
  }

 private:
  /// What a person reads; of a run whose folder goes away there is none. A worker leaves it to its
  /// supervisor. The verdict stands without it.
  void leave_report(const CellResult& result, const std::string& folder) const {
    const bool is_discarded = options_.discard_passed && result.passed();
    if (options_.no_report || is_discarded || !options_.worker.empty()) return;
    auto keys = load_flash_keys({});
    const auto written = report::html::write_report(folder, keys ? std::move(*keys) : inspect::Keys{});
    if (!written) fmt::print(stderr, "otasim: there is no report: {}\n", written.error().message);
  }

  /// The same as pictures, for a terminal; the report shows it.
  void leave_recording(const CellResult& result, const std::string& folder, const std::string& title) const {
    const bool is_discarded = options_.discard_passed && result.passed();
    if (options_.no_report || options_.no_cast || is_discarded || !options_.worker.empty()) return;
    const auto written = report::cast::leave_recording(folder, {.title = title, .version = OTASIM_VERSION});
    if (!written) fmt::print(stderr, "otasim: there is no recording: {}\n", written.error().message);
  }

  /// As the report, but small and cheap: `--no-report` does not leave it out.
  void leave_trace(const CellResult& result, const std::string& folder) const {
    if ((options_.discard_passed && result.passed()) || !options_.worker.empty()) return;
    const auto written = report::trace::write_trace(folder);
    if (!written) fmt::print(stderr, "otasim: there is no trace: {}\n", written.error().message);
  }

  /// Plays in a process of its own, as often as that kills itself.
  Result<CellResult> play_supervised(const scenario::PlannedCell& planned, const std::string& folder) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::string> arguments{
        "run",     planned.entry.path, "--board", planned.cell.board,
        "--data",  planned.cell.data,  "--seed",  std::to_string(planned.cell.seed),
        "--quiet", "--worker",         folder};
    for (const std::string& text : options_.parameters) arguments.insert(arguments.end(), {"--set", text});
    for (const std::string& text : options_.faults) arguments.insert(arguments.end(), {"--fault", text});
    if (options_.strict_flash) arguments.emplace_back("--strict-flash");
    if (options_.keylog) arguments.emplace_back("--keylog");
    boost::asio::io_context io;
    std::unique_ptr<ChildProcess> worker;
    bool is_interrupted = false;
    const TerminationSignals signals(io, [&](int) {
      is_interrupted = true;
      if (worker) worker->terminate();
    });
    LabLeftBehind lab(folder);
    for (;;) {
      const auto end = run_worker(io, worker, arguments, folder);
      const bool goes_on = lab.look() && end && end->signaled && end->code == SIGKILL;
      if (!end) return tl::unexpected(end.error());
      if (is_interrupted) return fail(ExitCode::kInterrupted, "interrupted");
      if (goes_on) continue;
      const auto bytes = read_file(folder + "/result.json");
      if (!bytes) return tl::unexpected(worker_error(folder));
      auto result = cell_result_from(json::parse(*bytes, nullptr, false));
      if (!result) return result;
      result->wall_ms =
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
              .count();
      return result;
    }
  }

  Result<ChildProcess::ExitStatus> run_worker(boost::asio::io_context& io,
                                              std::unique_ptr<ChildProcess>& worker,
                                              const std::vector<std::string>& arguments,
                                              const std::string& folder) {
    auto spawned = ChildProcess::spawn(io, {.program = program_,
                                            .arguments = arguments,
                                            .stdout_path = folder + "/worker.out",
                                            .stderr_path = folder + "/worker.err"});
    if (!spawned) return tl::unexpected(spawned.error());
    worker = std::move(*spawned);
    ChildProcess::ExitStatus end{};
    worker->on_exit([&](ChildProcess::ExitStatus status) {
      end = status;
      io.stop();
    });
    io.restart();
    io.run();
    return end;
  }

  static Error worker_error(const std::string& folder) {
    const auto said = read_file(folder + "/worker.err");
    return {ExitCode::kEnvironment, "the process that plays the scenario has ended without a result",
            said ? std::string(said->begin(), said->end()) : std::string()};
  }

  Result<CellResult> play(const scenario::PlannedCell& planned, scenario::Scenario scenario,
                          const std::string& folder) {
    auto checkpoint = scenario::Checkpoint::take(folder);
    if (!checkpoint) return tl::unexpected(checkpoint.error());
    std::vector<json> earlier;
    const std::string events = folder + "/events.jsonl";
    const auto log =
        *checkpoint ? report::EventLog::resume(events, earlier) : report::EventLog::create(events);
    if (!log) return tl::unexpected(log.error());
    report::Progress progress(report::Console::standard_error());
    const report::ProgressTicker ticker(progress);
    report::TerminalView view(progress, {.fleet = scenario.devices.size() > 1});
    if (!options_.quiet) {
      progress.line(fmt::format("{}: {}", planned.name(), scenario.title));
      if (!first_failure_.empty()) progress.pin(first_failure_);
      (*log)->listen([&view](const json& event) { view.show(event); });
    }
    const scenario::RunPlan plan{.scenario = std::move(scenario),
                                 .cell = planned.cell,
                                 .folder = folder,
                                 .faults = faults_,
                                 .checkpoint = std::move(*checkpoint),
                                 .earlier_events = std::move(earlier),
                                 .key_log_path = options_.keylog ? key_log_of(folder) : std::string(),
                                 .keep_recordings = options_.record,
                                 .keep_snapshots = options_.snapshots};
    auto outcome = scenario::play(plan, **log);
    view.finish();
    if (!outcome) return tl::unexpected(outcome.error());
    if (!outcome->passed() && first_failure_.empty())
      first_failure_ = fmt::format("first failure: {}: {}", planned.name(), outcome->failures.front());
    const std::string words =
        cell_words(planned, {options_.parameters, options_.faults, options_.strict_flash});
    CellResult result = result_of(planned, std::move(*outcome), words, **log, folder);
    if (options_.record) result.repeat += " --record";
    if (kills_simulator(plan.scenario)) result.debug.clear();
    return result;
  }

  const RunOptions& options_;
  std::string program_;
  json parameters_;
  std::vector<json> faults_;
  std::string first_failure_;  ///< of the cells so far
};

/// For --board.
constexpr const char* kAllBoards = "all";

std::vector<std::string> boards_and_all() {
  std::vector<std::string> names = lab::board_names();
  names.emplace_back(kAllBoards);
  return names;
}

/// For the report of a CI, which shall say why there is no result.
CellResult not_played(const scenario::PlannedCell& planned, const Error& error) {
  CellResult result = result_of(planned, error.code == ExitCode::kInterrupted ? "interrupted" : "error");
  result.failures = {error.message};
  return result;
}

Result<void> run(const RunOptions& options, const std::string& program) {
  const auto parameters = parse_parameters(options.parameters);
  if (!parameters) return tl::unexpected(parameters.error());
  const auto faults = parse_faults(options.faults);
  if (!faults) return tl::unexpected(faults.error());
  const auto entries = scenario::find_scenarios(options.scenarios);
  if (!entries) return tl::unexpected(entries.error());
  scenario::CellChoice choice{.boards = options.boards, .data = options.data};
  choice.first_board_only = choice.boards.empty();
  if (std::ranges::count(choice.boards, kAllBoards) != 0) choice.boards.clear();
  const auto cells = plan_cells(*entries, choice, options.seed);
  if (cells.empty()) {
    std::string reason = why_left_out(*entries, choice);
    if (!reason.empty()) reason += '\n';
    return fail(ExitCode::kUsage, "none of these scenarios runs on this board over this protocol",
                reason + "otasim scenario list tells where each one runs.");
  }
  if (auto good = check_result_file("--junit", options.junit); !good) return good;
  CellRunner runner(options, program, *parameters, *faults);
  std::vector<CellResult> results;
  std::optional<Error> error;
  for (const scenario::PlannedCell& cell : cells) {
    auto result = runner.run(cell, cells.size() == 1);
    if (!result) {
      error = result.error();
      results.push_back(not_played(cell, *error));
      break;
    }
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
  if (error) return tl::unexpected(std::move(*error));
  return verdict_of(results);
}

}  // namespace

Result<scenario::PlannedCell> plan_one(const std::string& name, const std::string& board,
                                       const std::string& data, std::uint64_t seed) {
  const auto entries = scenario::find_scenarios({name});
  if (!entries) return tl::unexpected(entries.error());
  scenario::CellChoice choice;
  if (!board.empty()) choice.boards = {board};
  if (!data.empty()) choice.data = {data};
  choice.first_board_only = board.empty();
  auto cells = plan_cells(*entries, choice, seed);
  if (cells.empty()) {
    return fail(ExitCode::kUsage, fmt::format("{} does not run on this board over this protocol", name),
                why_left_out(*entries, choice) + "\notasim scenario list tells where each one runs.");
  }
  return std::move(cells.front());
}

std::vector<std::string> parameter_texts(const json& parameters) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : parameters.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    const json read = json::parse(text, nullptr, false);
    const bool looks_like_another = value.is_string() && read.is_primitive() && !read.is_discarded();
    texts.push_back(fmt::format("{}={}", name, looks_like_another ? value.dump() : text));
  }
  return texts;
}

Result<CellResult> run_cell(const CellOrder& order, const std::string& program) {
  RunOptions options;
  options.parameters = parameter_texts(order.parameters);
  options.out = order.out;
  options.quiet = order.quiet;
  options.keylog = order.keylog;
  options.no_report = order.no_report;
  return CellRunner(options, program, order.parameters, /*faults=*/{}).run(order.planned, true);
}

void add_run(CLI::App& app, Command& command, const std::string& program) {
  static RunOptions options;
  CLI::App* run_command = app.add_subcommand("run", "Play scenarios and judge them");
  run_command->add_option("SCENARIO", options.scenarios, "Names of scenarios that come with otasim, or files")
      ->required();
  run_command
      ->add_option("--board,--boards", options.boards,
                   "Boards to run on, or all (default: the first that the scenario runs on)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(boards_and_all()));
  run_command
      ->add_option("--data,--protocol", options.data, "Data protocols (default: all of the scenario's)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"mqtt", "http"}));
  run_command
      ->add_option("--set", options.parameters,
                   "NAME=VALUE: replaces a parameter of the scenario (repeatable)")
      ->allow_extra_args(false);
  run_command
      ->add_option("--fault", options.faults,
                   "Arms a fault: NAME,MEMBER=VALUE,... or its JSON; see docs/faults.md (repeatable)")
      ->allow_extra_args(false);
  run_command->add_flag(
      "--strict-flash", options.strict_flash,
      "Undo and report writes to flash that bypass its commands (boards with a controller)");
  run_command->add_flag("--record", options.record,
                        "Record the devices, for `otasim replay` (see docs/record-replay.md)");
  run_command->add_option("--seed", options.seed, "Seed of entropy and chance")->capture_default_str();
  run_command->add_option("--out", options.out,
                          "Run folder to make; of several cells, a folder of theirs (default: "
                          "otasim-runs/TIME-NAME-BOARD-PROTOCOL)");
  run_command->add_option("--junit", options.junit, "Write the results to this file as JUnit XML");
  run_command->add_flag("--discard-passed", options.discard_passed,
                        "Remove the run folder of a run that passed");
  run_command->add_flag(
      "--snapshots", options.snapshots,
      "Keep the lab's state at each change of a job, for `otasim sweep power-cut --complete`");
  run_command->add_flag("--keylog", options.keylog,
                        "Log the lab's TLS secrets, so that captures can be read (docs/trace.md)");
  run_command->add_flag("--no-report", options.no_report,
                        "Leave neither report.html nor demo.cast in the run folder");
  run_command->add_flag("--no-cast", options.no_cast, "Leave no demo.cast in the run folder");
  run_command->add_flag("--json", options.json, "Print one JSON object a run on stdout");
  run_command->add_flag("--quiet", options.quiet, "Show the results only");
  run_command->add_option("--worker", options.worker)->group("");  // not for people: see play_supervised()
  run_command->callback([&command, program] { command = [program] { return run(options, program); }; });
}

}  // namespace otasim::cli
