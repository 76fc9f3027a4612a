// `otasim sweep power-cut`: cuts the power at every operation of recorded updates, and boots what is left.
//
// Each scenario is played first (`otasim run`, in a process of its own) unless a recording is given, and kept
// in the sweep's folder, so that a case that fails can be played again.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/child_process.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/command.h"
#include "sim/cli/run_folder.h"
#include "sim/cli/sweep_complete.h"
#include "sim/cli/sweep_report.h"
#include "sim/lab/boards.h"
#include "sim/report/html/html_report.h"
#include "sim/report/progress.h"
#include "sim/scenario/library.h"
#include "sim/sweep/native_machine.h"
#include "sim/sweep/power_cut_sweep.h"
#include "sim/sweep/qemu_machine.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

constexpr const char* kNative = "native";
/// Blocks in order, out of order, over a power cut, asked for again, and an image that does not accept
/// itself.
const std::vector<std::string> kDefaultScenarios{"OTAE2EGreaterVersion", "ReorderedBlocks",
                                                 "PowerCutDuringDownload", "MissingBlocks",
                                                 "OTAE2EImageCrashed"};

struct SweepOptions {
  std::vector<std::string> scenarios;
  std::vector<std::string> recordings;
  std::string board = std::string(lab::boards().front().name);
  unsigned cuts = 1;
  sweep::Granularity granularity = sweep::Granularity::kTorn;
  std::uint64_t seed = 1;
  unsigned jobs = 0;
  std::string one_case;
  bool no_report = false;
  bool complete = false;
  bool undelivered = false;
  std::size_t samples = 50;
  std::string out;
  std::string junit;
  bool json = false;
  bool quiet = false;
};

/// The board whose program is recorded: the one that boots, or for `native` the first.
const lab::Board& recorded_board(const SweepOptions& options) {
  const lab::Board* const board = lab::find_board(options.board);
  return board != nullptr ? *board : lab::boards().front();
}

unsigned jobs_of(const SweepOptions& options) {
  return options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
}

/// Plays a scenario in a process of its own; the run's folder is the recording.
Result<std::string> record(const std::string& scenario, const SweepOptions& options,
                           const std::string& program, const std::string& folder) {
  const auto entries = scenario::find_scenarios({scenario});
  if (!entries) return tl::unexpected(entries.error());
  const scenario::Entry& entry = entries->front();
  const std::string run = folder + "/recordings/" + entry.name;
  std::error_code ignored;
  std::filesystem::create_directories(folder + "/recordings", ignored);
  boost::asio::io_context io;
  bool is_interrupted = false;
  ChildProcess::ExitStatus ended{};
  auto child = ChildProcess::spawn(
      io, {.program = program,
           .arguments = {"run", entry.path, "--board", std::string(recorded_board(options).name), "--data",
                         entry.data.front(), "--seed", std::to_string(options.seed), "--out", run, "--quiet",
                         "--snapshots"},
           .stdout_path = run + ".out",
           .stderr_path = run + ".err"});
  if (!child) return tl::unexpected(child.error());
  TerminationSignals signals(io, [&](int) {
    is_interrupted = true;
    (*child)->terminate();
  });
  (*child)->on_exit([&](ChildProcess::ExitStatus status) {
    ended = status;
    signals.stop();
  });
  io.run();
  if (is_interrupted) return fail(ExitCode::kInterrupted, "interrupted while a scenario was recorded");
  if (ended.signaled || ended.code != 0) {
    const auto said = read_file(run + ".err");
    return fail(ended.signaled ? ExitCode::kInternal : static_cast<ExitCode>(ended.code),
                fmt::format("the scenario {} did not pass, so there is nothing to sweep:\n{}", entry.name,
                            said ? std::string(said->begin(), said->end()) : std::string()),
                fmt::format("otasim run {} --board {} plays it alone.", entry.asked_as,
                            recorded_board(options).name));
  }
  for (const char* suffix : {".out", ".err"}) std::filesystem::remove(run + suffix, ignored);
  return run;
}

/// Shows a sweep while it goes on.
class SweepView {
 public:
  SweepView(const sweep::Recording& recording, bool is_quiet) : recording_(recording), is_quiet_(is_quiet) {}

  void progress(const sweep::SweepCounts& counts, std::size_t done) {
    if (is_quiet_) return;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
    const auto rate = passed.count() > 0 ? static_cast<double>(counts.cases) / passed.count() : 0;
    progress_.show({.done = done,
                    .total = recording_.history.operations().size(),
                    .unit = "operations",
                    .text = fmt::format("{} failed, {} cases ({:.0f}/s), {} boots, {}", counts.failures,
                                        counts.cases, rate, counts.boots, recording_.name),
                    .has_failed = counts.failures != 0});
  }
  void failure(const sweep::CaseFailure& failure, const std::string& repeat) {
    if (shown_++ != 0 || is_quiet_) return;
    const std::string name = fmt::format("{} cut at {}", recording_.name, to_string(failure.path));
    const bool has_color = progress_.console().has_color;
    progress_.line(
        fmt::format("{}failed{} {}", has_color ? "\x1b[31m" : "", has_color ? "\x1b[0m" : "", name));
    for (const std::string& violation : failure.violations) progress_.line("       " + violation);
    progress_.line("       repeat: " + repeat);
    if (!failure.violations.empty())
      progress_.pin(fmt::format("first failure: {}: {}", name, failure.violations.front()));
  }
  void finish() { progress_.finish(); }

 private:
  const sweep::Recording& recording_;
  bool is_quiet_;
  report::Progress progress_{report::Console::standard_error()};
  report::ProgressTicker ticker_{progress_};
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::atomic<std::size_t> shown_ = 0;
};

void show_boots(const sweep::CutPath& path, const std::vector<sweep::Boot>& boots) {
  fmt::print(stderr, "case {}\n", to_string(path));
  for (std::size_t i = 0; i < boots.size(); ++i) {
    fmt::print(stderr, "  boot {}\n", i + 1);
    for (const std::string& line : boots[i].lines) fmt::print(stderr, "    {}\n", line);
    for (std::size_t n = 0; n < boots[i].operations.size(); ++n) {
      const flash::LoggedOperation& operation = boots[i].operations[n];
      if (sweep::cell_bytes(operation) == 0) continue;
      fmt::print(stderr, "    operation {}: kind {} at {:#x}, {} bytes\n", n,
                 static_cast<unsigned>(operation.kind), operation.offset, operation.length);
    }
  }
}

/// @param recorded_on  whose images the recording has
/// @param folder  for the machines' files; its path is short
Result<sweep::PowerCutSweep::MakeMachine> machines_for(const SweepOptions& options,
                                                       const lab::Board& recorded_on,
                                                       const flash::Geometry& part,
                                                       const std::string& folder) {
  using Machine = Result<std::unique_ptr<sweep::BootMachine>>;
  if (options.board == kNative) {
    auto keys = sweep::RomKeys::load();
    if (!keys) return tl::unexpected(keys.error());
    return [keys = *keys, part, load_address = recorded_on.load_address](unsigned) -> Machine {
      return std::make_unique<sweep::NativeMachine>(keys, part, load_address, flash::kSlotSize);
    };
  }
  auto products = lab::BuildProducts::find(options.board);
  if (!products) return tl::unexpected(products.error());
  return [&board = recorded_board(options), products = *products, folder](unsigned worker) -> Machine {
    const std::string own = fmt::format("{}/{}", folder, worker);
    std::error_code error;
    if (std::filesystem::create_directory(own, error)) return sweep::make_qemu_machine(board, products, own);
    return fail(ExitCode::kEnvironment, fmt::format("cannot make the folder {}: {}", own, error.message()));
  };
}

/// Sweeps one recording; Ctrl-C ends it and keeps what it has.
Result<SweptRecording> sweep_one(const std::string& folder, const SweepOptions& options,
                                 const crypto::P256Key& key) {
  auto recording = sweep::Recording::load(folder);
  if (!recording) return tl::unexpected(recording.error());
  const lab::Board* const board = lab::find_board(recording->board);
  if (board == nullptr) {
    return fail(
        ExitCode::kUsage,
        fmt::format("{} was recorded on {}, which is no board of this otasim", folder, recording->board),
        "otasim boards lists them.");
  }
  if (options.board != kNative && board->name != options.board) {
    return fail(ExitCode::kUsage,
                fmt::format("{} was recorded on {}, whose program does not run on {}", folder, board->name,
                            options.board),
                fmt::format("Give --board {}, or record the scenario on {}.", board->name, options.board));
  }
  const auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  auto machines = machines_for(options, *board, recording->history.part(), temp->path().string());
  if (!machines) return tl::unexpected(machines.error());
  const auto operations = recording->history.operations();
  SweptRecording swept{
      .name = recording->name,
      .folder = folder,
      .board = options.board,
      .operations = {operations.begin(), operations.end()},
      .plan = {.cuts = options.cuts,
               .granularity = options.granularity,
               .seed = options.seed,
               .jobs = options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency())},
      .result = {}};
  if (!options.one_case.empty()) swept.plan.only = sweep::parse_cut_path(options.one_case);
  sweep::PowerCutSweep sweep(*recording, swept.plan, std::move(*machines), key);
  SweepView view(*recording, options.quiet);
  sweep.on_progress([&view](const auto& counts, std::size_t done) { view.progress(counts, done); });
  sweep.on_failure([&](const auto& failure) { view.failure(failure, swept.repeat_command(failure.path)); });
  sweep.on_boots(show_boots);

  boost::asio::io_context io;
  TerminationSignals signals(io, [&sweep](int) { sweep.stop(); });
  Result<sweep::SweepResult> result;
  std::thread worker([&] {
    result = sweep.run();
    boost::asio::post(io, [&signals] { signals.stop(); });
  });
  io.run();
  worker.join();
  view.finish();
  if (!result) return tl::unexpected(result.error());
  swept.result = std::move(*result);
  return swept;
}

Result<void> check(const SweepOptions& options) {
  if (auto good = check_result_file("--junit", options.junit); !good) return good;
  // Before anything is played.
  for (const std::string& scenario : options.scenarios) {
    if (auto known = scenario::find_scenarios({scenario}); !known) return tl::unexpected(known.error());
  }
  const bool has_one_recording = options.recordings.size() == 1 && options.scenarios.empty();
  if (options.complete && options.board == kNative) {
    return fail(ExitCode::kUsage, "--complete needs a board in QEMU: there is no application on native");
  }
  if (options.undelivered && (!options.complete || options.one_case.empty()))
    return fail(ExitCode::kUsage, "--undelivered belongs to --complete --case");
  if (options.one_case.empty()) return {};
  const auto path = sweep::parse_cut_path(options.one_case);
  if (!path) {
    return fail(
        ExitCode::kUsage, fmt::format("--case '{}' names no case", options.one_case),
        "A case is OPERATION:BYTES[+MARGINAL][#DRAW], then /BOOT.OPERATION:BYTES... for each further cut.");
  }
  if (options.complete && (path->size() != 1 || path->front().tear.marginal_bytes != 0))
    return fail(ExitCode::kUsage, fmt::format("--case '{}' is more than a single firm cut", options.one_case),
                "With --complete a case is OPERATION:BYTES.");
  if (has_one_recording) return {};
  return fail(ExitCode::kUsage, "--case needs one --recording: cases are numbered by its operations");
}

std::string line_of(const SweptRecording& swept) {
  const sweep::SweepCounts& counts = swept.result.counts;
  return fmt::format(
      "{} on {}: {} operations, {} cases, {} boots, {} distinct states, {} failures in {:.1f} s", swept.name,
      swept.board, swept.operations.size(), counts.cases, counts.boots, counts.distinct_states,
      counts.failures, swept.result.seconds);
}

/// What a sweep has come to.
struct Outcome {
  std::vector<SweptRecording> swept;
  std::vector<Completions> completions;
  bool was_interrupted = false;

  [[nodiscard]] json summary() const { return with_completions(summary_of(swept)); }
  [[nodiscard]] json data() const { return with_completions(data_of(swept)); }

 private:
  [[nodiscard]] json with_completions(json value) const {
    if (!completions.empty()) value["completions"] = to_json(completions);
    if (was_interrupted) value["complete"] = false;
    return value;
  }
};

Result<void> verdict(const Outcome& outcome, const std::string& folder) {
  std::uint64_t failures = 0;
  std::string command;
  for (const SweptRecording& one : outcome.swept) {
    failures += one.result.counts.failures;
    if (!one.result.failures.empty() && command.empty())
      command = one.repeat_command(one.result.failures.front().path);
  }
  for (const Completions& one : outcome.completions) {
    failures += one.failed();
    for (const CompletedCase& result : one.cases) {
      if (!result.failures.empty() && command.empty()) command = result.repeat;
    }
  }
  if (failures == 0) return {};
  return fail(ExitCode::kFailed,
              fmt::format("{} cases broke an invariant; {}/sweep.json has them", failures, folder),
              "Play the first one again:\n" + command);
}

/// @returns kInterrupted and so on; what was done so far is in `outcome`
Result<void> sweep_all(const SweepOptions& options, const std::string& program, const crypto::P256Key& key,
                       const std::string& folder, Outcome& outcome) {
  std::vector<std::string> recordings = options.recordings;
  const auto& scenarios =
      options.scenarios.empty() && recordings.empty() ? kDefaultScenarios : options.scenarios;
  for (const std::string& scenario : scenarios) {
    auto recorded = record(scenario, options, program, folder);
    if (!recorded) return tl::unexpected(recorded.error());
    recordings.push_back(std::move(*recorded));
  }
  for (const std::string& recording : recordings) {
    auto one = sweep_one(recording, options, key);
    if (!one) return tl::unexpected(one.error());
    if (!options.json) fmt::print("{}\n", line_of(*one));
    std::fflush(stdout);
    outcome.was_interrupted = one->result.was_interrupted;
    outcome.swept.push_back(std::move(*one));
    if (outcome.was_interrupted) return {};
  }
  if (!options.complete) return {};
  for (const std::string& recording : recordings) {
    auto loaded = sweep::Recording::load(recording);
    if (!loaded) return tl::unexpected(loaded.error());
    auto completions = complete_sampled(*loaded, {.program = program,
                                                  .folder = folder,
                                                  .cuts = options.samples,
                                                  .seed = options.seed,
                                                  .jobs = jobs_of(options),
                                                  .quiet = options.quiet});
    if (!completions) return tl::unexpected(completions.error());
    if (!options.json) {
      fmt::print("{}: {} cut updates completed, {} failures in {:.1f} s\n", completions->recording,
                 completions->cases.size(), completions->failed(), completions->seconds);
    }
    std::fflush(stdout);
    outcome.was_interrupted = completions->was_interrupted;
    outcome.completions.push_back(std::move(*completions));
    if (outcome.was_interrupted) return {};
  }
  return {};
}

Result<void> play_completion(const SweepOptions& options, const std::string& folder) {
  const auto recording = sweep::Recording::load(options.recordings.front());
  if (!recording) return tl::unexpected(recording.error());
  const sweep::Cut cut = sweep::parse_cut_path(options.one_case)->front();
  const auto result = complete_one(
      *recording, {.operation = cut.operation, .bytes = cut.tear.bytes, .is_delivered = !options.undelivered},
      folder, options.quiet);
  if (!result) return tl::unexpected(result.error());
  if (options.json) {
    const auto bytes = read_file(folder + "/result.json");
    if (!bytes) return tl::unexpected(bytes.error());
    fmt::print("{}\n", json::parse(*bytes).dump());
  } else {
    fmt::print("{} cut at {}: {}\n", recording->name, result->wanted.name(),
               result->failures.empty() ? "completed" : "failed");
    for (const std::string& failure : result->failures) fmt::print("       {}\n", failure);
  }
  std::fflush(stdout);
  if (result->failures.empty()) return {};
  return fail(ExitCode::kFailed, fmt::format("the case broke an invariant; its run is in {}", folder),
              result->repeat);
}

Result<void> run_sweep(const SweepOptions& options, const std::string& program) {
  if (auto sound = check(options); !sound) return sound;
  const auto key_path = lab::build_key(lab::kBootSigningKey);
  if (!key_path) return tl::unexpected(key_path.error());
  const auto key = crypto::P256Key::load_private(*key_path);
  if (!key) return tl::unexpected(key.error());
  const auto folder = make_run_folder(options.out, "sweep-" + options.board);
  if (!folder) return tl::unexpected(folder.error());
  std::error_code ignored;
  if (options.complete && !options.one_case.empty()) {
    const Result<void> played = play_completion(options, *folder);
    if (!played) std::filesystem::remove(*folder, ignored);  // unless something is in it
    return played;
  }

  Outcome outcome;
  const Result<void> done = sweep_all(options, program, *key, *folder, outcome);
  if (!done && outcome.swept.empty()) {
    std::filesystem::remove(*folder, ignored);
    return done;
  }
  json summary = outcome.summary();
  summary["run"] = *folder;
  json data = outcome.data();
  data["run"] = *folder;
  if (auto written = write_file_atomic(*folder + "/sweep.json", data.dump(1) + "\n"); !written)
    return written;
  if (!options.no_report) {
    // The verdict stands without it.
    const auto page = report::html::write_report(*folder, {});
    if (!page) fmt::print(stderr, "otasim: there is no report: {}\n", page.error().message);
  }
  const std::string junit = options.junit.empty() ? *folder + "/junit.xml" : options.junit;
  if (auto written = write_file_atomic(junit, junit_of(outcome.swept, outcome.completions)); !written)
    return written;
  if (options.json) fmt::print("{}\n", summary.dump());
  std::fflush(stdout);
  if (!done) return done;
  if (outcome.was_interrupted)
    return fail(ExitCode::kInterrupted,
                fmt::format("interrupted; the report of what had ended is in {}", *folder));
  return verdict(outcome, *folder);
}

std::vector<std::string> boards_and_native() {
  std::vector<std::string> names = lab::board_names();
  names.emplace_back(kNative);
  return names;
}

}  // namespace

void add_sweep(CLI::App& app, Command& command, const std::string& program) {
  static SweepOptions options;
  CLI::App* sweep_command = app.add_subcommand("sweep", "Try a fault at every point of an update");
  sweep_command->require_subcommand(1);
  CLI::App* power_cut = sweep_command->add_subcommand(
      "power-cut", "Cut the power at every flash operation of recorded updates, and boot what is left");
  power_cut
      ->add_option("--scenario", options.scenarios,
                   "Play and sweep this one (repeatable; default: in order, out of order, resumed, asked "
                   "again, rolled back)")
      ->allow_extra_args(false);
  power_cut
      ->add_option(
          "--recording", options.recordings,
          "Sweep the run in this folder, as `otasim run` made it, with or without --record (repeatable)")
      ->check(CLI::ExistingDirectory)
      ->allow_extra_args(false);
  power_cut
      ->add_option("--board", options.board, "Board to boot; native: the bootloader's sources on the host")
      ->check(CLI::IsMember(boards_and_native()))
      ->capture_default_str();
  power_cut->add_option("--cuts", options.cuts, "Cuts in a row: with 2, every recovery is cut as well")
      ->check(CLI::Range(1U, static_cast<unsigned>(sweep::kMaxCuts)))
      ->capture_default_str();
  static const std::map<std::string, sweep::Granularity> granularities{{"op", sweep::Granularity::kOperation},
                                                                       {"torn", sweep::Granularity::kTorn},
                                                                       {"byte", sweep::Granularity::kByte}};
  power_cut
      ->add_option_function<std::string>(
          "--granularity", [](const std::string& name) { options.granularity = granularities.at(name); },
          "op: before and after each operation; torn: and at points within; byte: and at every byte "
          "(default: torn)")
      ->check(CLI::IsMember(std::vector<std::string>{"op", "torn", "byte"}));
  power_cut->add_option("--seed", options.seed, "Seed of the recording, and of what torn cells read")
      ->capture_default_str();
  power_cut->add_option("--jobs", options.jobs, "Machines at a time (default: one for each core)")
      ->check(CLI::Range(1U, 256U));
  power_cut->add_option("--case", options.one_case, "Play this one case of --recording, and show its boots");
  power_cut->add_flag("--complete", options.complete,
                      "Also go on from sampled cuts, with device and cloud, until the update is over");
  power_cut->add_option("--samples", options.samples, "Cuts of each recording that are completed")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100000}))
      ->capture_default_str();
  power_cut->add_flag("--undelivered", options.undelivered,
                      "With --complete --case: the last message before the cut never reached the cloud");
  power_cut->add_option("--out", options.out, "Folder to make (default: otasim-runs/TIME-sweep-BOARD)");
  power_cut->add_option("--junit", options.junit, "JUnit XML file (default: junit.xml in the folder)");
  power_cut->add_flag("--no-report", options.no_report, "Leave no report.html in the folder");
  power_cut->add_flag("--json", options.json, "Print one JSON object with the results on stdout");
  power_cut->add_flag("--quiet", options.quiet, "No progress");
  power_cut->callback([&command, program] { command = [program] { return run_sweep(options, program); }; });
}

}  // namespace otasim::cli
