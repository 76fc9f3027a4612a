// `otasim replay`: runs a recorded run's devices again, as they ran, and compares; or hands a boot to gdb
// (docs/record-replay.md).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>

#include "sim/base/interruption.h"
#include "sim/base/json.h"
#include "sim/cli/command.h"
#include "sim/debug/boot_session.h"
#include "sim/lab/build_products.h"
#include "sim/replay/recording.h"
#include "sim/replay/replayer.h"
#include "sim/replay/sha256.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using replay::RecordedBoot;
using replay::Recording;

struct ReplayOptions {
  std::string run;
  std::string device;
  unsigned boot = 0;  ///< 0: all
  bool gdb = false;
  std::vector<std::string> commands;
  std::vector<std::string> symbols;
  bool json = false;
  bool quiet = false;
};

std::string names_text(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string recording_of(const std::string& run, const std::string& device) {
  return run + "/devices/" + device + "/recording";
}

/// The devices of a run that were recorded, in order; also those of whose recording something is missing.
std::vector<std::string> devices_recorded_in(const std::string& run) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run + "/devices", error)) {
    const std::string name = entry.path().filename().string();
    if (fs::exists(recording_of(run, name), error)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

/// Of the folder of several runs, those that were recorded, as commands.
std::string recorded_runs_text(const std::string& folder) {
  std::vector<std::string> runs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!devices_recorded_in(entry.path().string()).empty()) runs.push_back(entry.path().string());
  }
  std::ranges::sort(runs);
  std::string text;
  for (const std::string& run : runs) text += fmt::format("\n  otasim replay {}", scenario::shell_word(run));
  return text;
}

Result<std::vector<std::string>> recorded_devices(const std::string& run) {
  auto names = devices_recorded_in(run);
  if (!names.empty()) return names;
  const std::string runs = recorded_runs_text(run);
  if (!runs.empty()) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is the folder of several runs", run),
                "Replay one of those in it that were recorded:" + runs);
  }
  return fail(ExitCode::kUsage, fmt::format("'{}' holds no recording", run),
              "Give the folder of a run that was made with `otasim run SCENARIO --record`.");
}

Result<std::vector<std::string>> chosen_devices(const ReplayOptions& options) {
  const auto all = recorded_devices(options.run);
  if (!all || options.device.empty()) return all;
  if (std::ranges::count(*all, options.device) != 0) return std::vector{options.device};
  return fail(ExitCode::kUsage, fmt::format("'{}' holds no recording of '{}'", options.run, options.device),
              "Recorded were: " + names_text(*all));
}

/// The plugin is this program's own: a run's folder is data, and nothing in it is run on the host.
Result<Recording> load(const std::string& folder) {
  std::error_code ignored;
  if (!fs::exists(folder + "/recording.json", ignored)) {
    return fail(ExitCode::kUsage, fmt::format("{} has no recording.json", folder),
                "The run ended before the device's first boot had.");
  }
  auto recording = Recording::load(folder);
  if (!recording) return recording;
  if (auto can = replay::check_replayable(*recording); !can) return tl::unexpected(can.error());
  const auto products = lab::BuildProducts::find(recording->board);
  if (!products) return tl::unexpected(products.error());
  recording->plugin.path = products->flash_plugin;
  const auto plugin = replay::sha256_of_file(products->flash_plugin);
  if (!plugin) return tl::unexpected(plugin.error());
  if (*plugin != recording->plugin.sha256)
    fmt::print(stderr, "note: the flash controller was built anew since the run was recorded.\n");
  return recording;
}

Result<std::vector<const RecordedBoot*>> chosen_boots(const Recording& recording, unsigned number) {
  std::vector<const RecordedBoot*> boots;
  for (const RecordedBoot& boot : recording.boots) boots.push_back(&boot);
  if (number == 0) return boots;
  if (const RecordedBoot* const boot = recording.boot(number)) return std::vector{boot};
  return fail(ExitCode::kUsage, fmt::format("there is no boot {} of '{}'", number, recording.device),
              fmt::format("It has {}, counted from 1.", recording.boots.size()));
}

using replay::ReplayedBoot;

std::string_view name_of(ReplayedBoot::Outcome outcome) {
  switch (outcome) {
    case ReplayedBoot::Outcome::kIdentical:
      return "identical";
    case ReplayedBoot::Outcome::kDiverged:
      return "diverged";
    case ReplayedBoot::Outcome::kNotReplayed:
      return "not_replayed";
  }
  return "";
}

/// What a command that replays many boots has to tell in the end: a difference before all else.
class Summary {
 public:
  void add(const Error& why, const std::string& where) {
    const bool is_difference = why.code == ExitCode::kFailed;
    if ((is_difference ? differences_ : not_replayed_)++ != 0) return;
    (is_difference ? difference_ : problem_) = Error{why.code, where + why.message, why.hint};
  }
  [[nodiscard]] Result<void> verdict() const {
    if (differences_ == 0 && not_replayed_ == 0) return {};
    Error error = differences_ != 0 ? difference_ : problem_;
    const auto more = [&error](const std::string& text) {
      error.hint += (error.hint.empty() ? "" : "\n") + text;
    };
    if (differences_ > 1) more(fmt::format("{} boots differ in all.", differences_));
    if (not_replayed_ > (differences_ == 0 ? 1U : 0U))
      more(fmt::format("Not replayed in all: {}.", not_replayed_));
    return tl::unexpected(std::move(error));
  }

 private:
  unsigned differences_ = 0;
  unsigned not_replayed_ = 0;
  Error difference_;  ///< the first
  Error problem_;     ///< the first
};

/// Replays recordings, and tells.
class ReplayCommand {
 public:
  explicit ReplayCommand(const ReplayOptions& options) : options_(options), interruption_(io_) {}

  Result<void> run() {
    const auto devices = chosen_devices(options_);
    if (!devices) return tl::unexpected(devices.error());
    if (options_.gdb && devices->size() != 1)
      return fail(ExitCode::kUsage, "gdb debugs one device", "Choose with --device: " + names_text(*devices));
    for (const std::string& device : *devices) {
      const auto recording = load(recording_of(options_.run, device));
      if (!recording && (options_.gdb || devices->size() == 1)) return tl::unexpected(recording.error());
      if (!recording) {
        if (!options_.quiet) fmt::print(stderr, "{}: not replayed: {}\n", device, recording.error().message);
        summary_.add(recording.error(), "");
        continue;
      }
      if (auto done = options_.gdb ? debug(*recording) : replay_boots(*recording); !done) return done;
    }
    return summary_.verdict();
  }

 private:
  Result<void> debug(const Recording& recording) {
    const unsigned number = options_.boot == 0 ? 1 : options_.boot;
    const auto boots = chosen_boots(recording, number);
    if (!boots) return tl::unexpected(boots.error());
    fmt::print(stderr, "boot {} of {}, which began with {} and ended with {}\n", number, recording.device,
               boots->front()->cause, replay::to_string(boots->front()->end));
    return debug::debug_boot(io_, interruption_, recording, *boots->front(),
                             {.commands = options_.commands, .symbols = options_.symbols});
  }

  Result<void> replay_boots(const Recording& recording) {
    const auto boots = chosen_boots(recording, options_.boot);
    if (!boots) return tl::unexpected(boots.error());
    replay::Replayer replayer(io_, interruption_, recording, [this](std::string_view line) {
      if (!options_.json) fmt::print("{}\n", line);
    });
    for (const RecordedBoot* const boot : *boots) {
      if (!options_.quiet)
        fmt::print(stderr, "{} boot {}/{} ({})\n", recording.device, boot->number, recording.boots.size(),
                   boot->cause);
      const auto replayed = replayer.replay(*boot);
      if (!replayed) return tl::unexpected(replayed.error());
      std::fflush(stdout);
      tell(recording, *boot, *replayed);
    }
    return {};
  }

  void tell(const Recording& recording, const RecordedBoot& boot, const ReplayedBoot& replayed) {
    using Outcome = ReplayedBoot::Outcome;
    const auto result = name_of(replayed.outcome);
    const bool is_known = replayed.outcome != Outcome::kNotReplayed;
    if (options_.json) {
      fmt::print("{}\n", json{{"device", recording.device},
                              {"boot", boot.number},
                              {"cause", boot.cause},
                              {"end", replay::to_string(boot.end)},
                              {"result", result},
                              {"difference", is_known ? replayed.why.message : ""},
                              {"reason", is_known ? "" : replayed.why.message},
                              {"instructions", replayed.instructions},
                              {"wall_ms", replayed.wall_ms}}
                             .dump());
      std::fflush(stdout);
    } else if (!options_.quiet && is_known) {
      fmt::print(stderr, "{} boot {}/{}: {} ({} ms)\n", recording.device, boot.number, recording.boots.size(),
                 result, replayed.wall_ms);
    } else if (!is_known) {
      fmt::print(stderr, "{} boot {}/{}: not replayed: {}\n", recording.device, boot.number,
                 recording.boots.size(), replayed.why.message);
    }
    if (replayed.outcome == Outcome::kIdentical) return;
    const std::string where = fmt::format("boot {} of {}", boot.number, recording.device);
    summary_.add(replayed.why, is_known ? "diverged at " + where + ", " : where + ": ");
  }

  const ReplayOptions& options_;
  boost::asio::io_context io_;
  Interruption interruption_;
  Summary summary_;
};

}  // namespace

void add_replay(CLI::App& app, Command& command) {
  static ReplayOptions options;
  CLI::App* replay =
      app.add_subcommand("replay", "Run a recorded run's devices again, and compare; or debug them");
  replay->add_option("RUN", options.run, "Folder of a run that was made with --record")
      ->required()
      ->check(CLI::ExistingDirectory);
  replay->add_option("--device", options.device, "One of the run's devices (default: all)");
  replay->add_option("--boot", options.boot, "One boot, counted from 1 (default: all; with --gdb the first)")
      ->check(CLI::PositiveNumber);
  auto* const gdb =
      replay->add_flag("--gdb", options.gdb, "Debug the boot in gdb-multiarch, forward and in reverse");
  replay->add_option("--ex", options.commands, "A command for gdb, which then ends (repeatable)")
      ->allow_extra_args(false)
      ->needs(gdb);
  replay->add_option("--symbols", options.symbols, "A further ELF file with symbols for gdb (repeatable)")
      ->check(CLI::ExistingFile)
      ->allow_extra_args(false)
      ->needs(gdb);
  replay->add_flag("--json", options.json, "Print one JSON object a boot on stdout instead of the console")
      ->excludes(gdb);
  replay->add_flag("--quiet", options.quiet, "No progress on stderr");
  replay->callback([&command] { command = [] { return ReplayCommand(options).run(); }; });
}

}  // namespace otasim::cli
