// `otasim record`: a recording of the demo, of a scenario played now, or of a run that was played before
// (docs/recordings.md).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>

#include "sim/base/interruption.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/command.h"
#include "sim/cli/run.h"
#include "sim/cli/run_folder.h"
#include "sim/lab/boards.h"
#include "sim/report/cast/layout.h"
#include "sim/report/cast/recorded_run.h"
#include "sim/report/cast/recording.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

namespace cast = report::cast;

/// What `otasim record demo` plays.
constexpr const char* kDemoScenario = "Demo";
constexpr double kSlowest = 0.01;
constexpr double kFastest = 100;
constexpr double kShortestIdle = 0.05;
constexpr double kLongestIdle = 3600;

struct RecordOptions {
  std::string what;
  std::string run;
  std::string board;
  std::string data;
  std::uint64_t seed = 1;
  std::string out;
  bool quiet = false;
  bool json = false;
  cast::FilmOptions film = {.version = OTASIM_VERSION};
};

/// The title of the scenario that a run was of; empty if it is not in the library any more.
std::string title_of_run(const std::string& folder) {
  const auto run = cast::read_run_result(folder);
  const auto name = run.find("scenario");
  if (name == run.end() || !name->is_string()) return {};
  const auto entries = scenario::library();
  if (!entries) return {};
  const auto entry = std::ranges::find(*entries, name->get<std::string>(), &scenario::Entry::name);
  return entry == entries->end() ? std::string() : entry->title;
}

Result<void> write(const RecordOptions& options, const std::string& folder, const std::string& out) {
  const auto written = cast::write_recording(folder, out, options.film);
  if (!written) return tl::unexpected(written.error());
  print_written(written->path, options.json);
  if (options.quiet) return {};
  fmt::print(stderr, "{:.1f} s, {} KiB. ", written->length_s, (written->bytes + 1023) / 1024);
  switch (written->kind) {
    case cast::RecordingKind::kSvg:
      fmt::print(stderr, "Any browser shows it.\n");
      break;
    case cast::RecordingKind::kGifReady:
      fmt::print(stderr, "To make the GIF: agg {} {}\n", scenario::shell_word(written->path),
                 scenario::shell_word(std::filesystem::path(out).stem().string() + ".gif"));
      break;
    case cast::RecordingKind::kCast:
      fmt::print(stderr, "To see it: asciinema play {}\n", scenario::shell_word(written->path));
      break;
  }
  return {};
}

Result<void> record_run(RecordOptions options) {
  options.film.title = title_of_run(options.run);
  return write(options, options.run, options.out.empty() ? cast::kCastFile : options.out);
}

Result<void> play_and_write(RecordOptions options, const scenario::PlannedCell& cell,
                            const std::string& folder, const std::string& program) {
  const auto result =
      run_cell({.planned = cell, .out = folder, .quiet = options.quiet, .no_report = true}, program);
  if (!result) return tl::unexpected(result.error());
  options.film.title = cell.entry.title;
  const std::string out = !options.out.empty()     ? options.out
                          : options.what == "demo" ? std::string(cast::kCastFile)
                                                   : result->scenario + ".cast";
  if (auto written = write(options, folder, out); !written) return written;
  return verdict_of({*result});
}

Result<void> record_scenario(const RecordOptions& options, const std::string& program) {
  if (auto good = check_result_file("--out", options.out); !good) return good;
  const auto cell = plan_one(options.what == "demo" ? kDemoScenario : options.what, options.board,
                             options.data, options.seed);
  if (!cell) return tl::unexpected(cell.error());
  boost::asio::io_context io;
  Interruption interruption(io);
  auto temporary = TempDir::create();
  if (!temporary) return tl::unexpected(temporary.error());
  const std::string folder = temporary->file("run");
  auto done = play_and_write(options, *cell, folder, program);
  if (auto go_on = interruption.check(); !go_on) return go_on;
  if (done || done.error().code == ExitCode::kInterrupted) return done;
  // What went wrong can be looked into.
  temporary->keep();
  if (done.error().hint.find(folder) == std::string::npos)
    fmt::print(stderr, "otasim: the run's folder is {}\n", folder);
  return done;
}

Result<void> record(const RecordOptions& options, const std::string& program) {
  // Before anything is played.
  if (const auto kind = cast::kind_of(options.out); !kind) return tl::unexpected(kind.error());
  if (!options.run.empty()) return record_run(options);
  return record_scenario(options, program);
}

}  // namespace

void add_record(CLI::App& app, Command& command, const std::string& program) {
  static RecordOptions options;
  CLI::App* record_command =
      app.add_subcommand("record", "Record the demo, a scenario or a run: for asciinema, as SVG, for a GIF");
  CLI::Option* what = record_command->add_option("WHAT", options.what,
                                                 "demo, or a scenario of the library or a file: played now");
  CLI::Option* run = record_command->add_option("--run", options.run, "Record this run's folder instead")
                         ->check(CLI::ExistingDirectory)
                         ->excludes(what);
  record_command->add_option("--board", options.board, "Board to play on (default: the scenario's first)")
      ->check(CLI::IsMember(lab::board_names()))
      ->excludes(run);
  record_command
      ->add_option("--data,--protocol", options.data, "Data protocol (default: the scenario's first)")
      ->check(CLI::IsMember({"mqtt", "http"}))
      ->excludes(run);
  record_command->add_option("--seed", options.seed, "Seed of entropy and chance")
      ->capture_default_str()
      ->excludes(run);
  record_command->add_option("--speed", options.film.pace.speed, "2 shows it in half the time")
      ->check(CLI::Range(kSlowest, kFastest))
      ->capture_default_str();
  record_command
      ->add_option("--idle-limit", options.film.pace.idle_limit_s,
                   "Longest pause in which nothing happens, in seconds, before --speed")
      ->check(CLI::Range(kShortestIdle, kLongestIdle))
      ->capture_default_str();
  record_command->add_flag("--real-time", options.film.pace.is_real_time,
                           "Show it as fast as it was, instead of so slow that one can read along");
  record_command->add_option("--width", options.film.width, "Columns")
      ->check(CLI::Range(cast::kLeastWidth, cast::kMostWidth))
      ->capture_default_str();
  record_command->add_option("--height", options.film.height, "Rows")
      ->check(CLI::Range(cast::kLeastHeight, cast::kMostHeight))
      ->capture_default_str();
  record_command->add_option(
      "--out", options.out,
      "File to write: NAME.cast, NAME.svg, or gif-ready or NAME.gif-ready for a cast to "
      "make a GIF of (default: demo.cast, or SCENARIO.cast)");
  record_command->add_flag("--json", options.json, "Print JSON on stdout");
  record_command->add_flag("--quiet", options.quiet, "Print the file's name only");
  record_command->callback([&command, program, what, run] {
    if (what->empty() && run->empty())
      throw CLI::ValidationError("record", "give demo, a scenario, or --run RUN");
    command = [program] { return record(options, program); };
  });
}

}  // namespace otasim::cli
