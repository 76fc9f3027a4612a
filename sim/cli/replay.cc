// `otasim replay`: runs a recorded run's devices again, as they ran, and compares; or hands a boot to gdb
// (docs/record-replay.md).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/base/install_root.h"
#include "sim/cli/command.h"
#include "sim/lab/build_products.h"
#include "sim/replay/gdb_session.h"
#include "sim/replay/recording.h"
#include "sim/replay/replayer.h"
#include "sim/replay/sha256.h"

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

/// The devices of a run that were recorded, in order.
Result<std::vector<std::string>> recorded_devices(const std::string& run) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run + "/devices", error)) {
    if (fs::exists(entry.path() / "recording" / "recording.json", error))
      names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  if (!names.empty()) return names;
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

/// Replays recordings, and tells.
class ReplayCommand {
 public:
  explicit ReplayCommand(const ReplayOptions& options) : options_(options) {}

  Result<void> run() {
    const auto devices = chosen_devices(options_);
    if (!devices) return tl::unexpected(devices.error());
    if (options_.gdb && devices->size() != 1)
      return fail(ExitCode::kUsage, "gdb debugs one device", "Choose with --device: " + names_text(*devices));
    for (const std::string& device : *devices) {
      const auto recording = load(options_.run + "/devices/" + device + "/recording");
      if (!recording) return tl::unexpected(recording.error());
      if (auto done = options_.gdb ? debug(*recording) : replay_boots(*recording); !done) return done;
    }
    if (differences_ == 0) return {};
    return fail(ExitCode::kFailed, fmt::format("diverged at {}", first_difference_),
                differences_ == 1 ? "" : fmt::format("{} boots differ in all.", differences_));
  }

 private:
  Result<void> debug(const Recording& recording) {
    const unsigned number = options_.boot == 0 ? 1 : options_.boot;
    const auto boots = chosen_boots(recording, number);
    if (!boots) return tl::unexpected(boots.error());
    std::string script;
    if (const auto root = install_root()) script = (*root / "gdb" / "otasim_gdb.py").string();
    fmt::print(stderr, "boot {} of {}, which began with {} and ended with {}\n", number, recording.device,
               boots->front()->cause, replay::to_string(boots->front()->end));
    return replay::debug_boot(recording, *boots->front(),
                              {.commands = options_.commands, .symbols = options_.symbols, .script = script});
  }

  Result<void> replay_boots(const Recording& recording) {
    const auto boots = chosen_boots(recording, options_.boot);
    if (!boots) return tl::unexpected(boots.error());
    replay::Replayer replayer(recording, [this](std::string_view line) {
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

  void tell(const Recording& recording, const RecordedBoot& boot, const replay::ReplayedBoot& replayed) {
    const std::string what = replayed.difference.value_or("");
    if (options_.json) {
      fmt::print("{}\n", json{{"device", recording.device},
                              {"boot", boot.number},
                              {"cause", boot.cause},
                              {"end", replay::to_string(boot.end)},
                              {"result", what.empty() ? "identical" : "diverged"},
                              {"difference", what},
                              {"instructions", replayed.instructions},
                              {"wall_ms", replayed.wall_ms}}
                             .dump());
      std::fflush(stdout);
    } else if (!options_.quiet) {
      fmt::print(stderr, "{} boot {}/{}: {} ({} ms)\n", recording.device, boot.number, recording.boots.size(),
                 what.empty() ? "identical" : "diverged", replayed.wall_ms);
    }
    if (what.empty()) return;
    if (differences_++ == 0)
      first_difference_ = fmt::format("boot {} of {}, {}", boot.number, recording.device, what);
  }

  const ReplayOptions& options_;
  unsigned differences_ = 0;
  std::string first_difference_;
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
      ->allow_extra_args(false)
      ->needs(gdb);
  replay->add_flag("--json", options.json, "Print one JSON object a boot on stdout instead of the console")
      ->excludes(gdb);
  replay->add_flag("--quiet", options.quiet, "No progress on stderr");
  replay->callback([&command] { command = [] { return ReplayCommand(options).run(); }; });
}

}  // namespace otasim::cli
