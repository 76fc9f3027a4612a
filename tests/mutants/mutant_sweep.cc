#include "tests/mutants/mutant_sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "sim/flash/flash_history.h"
#include "sim/sweep/power_cut_sweep.h"
#include "tests/mutants/booting_machine.h"
#include "tests/mutants/update_histories.h"

namespace otasim::mutants {
namespace {

using sweep::CaseFailure;
using sweep::PowerCutSweep;
using sweep::Recording;

struct Options {
  std::string caught_by;  ///< an invariant; empty: nothing may be broken
  unsigned cuts = 1;
  bool crashes = false;  ///< a crash of the bootloader is what breaks S1
};

/// How often each invariant was broken.
using Broken = std::map<std::string, std::uint64_t>;

void say(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
}

/// A bootloader that crashes starts no image: S1. A crash while none boots is this program's own.
extern "C" void handle_crash(int) {
  if (!BootingMachine::is_booting()) {
    say("this program crashed, outside of the bootloader\n");
    ::_exit(1);
  }
  say("S1: the bootloader crashed\n");
  ::_exit(0);
}

void expect_crash() {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS}) std::signal(signal, handle_crash);
}

void print(const Recording& recording, const CaseFailure& failure) {
  fmt::print("{} {}:\n", recording.name, to_string(failure.path));
  for (const std::string& violation : failure.violations) fmt::print("  {}\n", violation);
  for (const auto& console : failure.consoles) {
    fmt::print("  --\n");
    for (const std::string& line : console) fmt::print("    {}\n", line);
  }
}

/// Sweeps one recording. With an invariant expected it ends at the first case that breaks it.
Result<void> sweep_recording(const Recording& recording, const Rom& rom, const Options& options,
                             Broken& broken) {
  PowerCutSweep sweep(
      recording, {.cuts = options.cuts},
      [&rom](unsigned) -> Result<std::unique_ptr<sweep::BootMachine>> {
        return std::make_unique<BootingMachine>(rom.keys, flash::kControllerPart, kLoadAddress, kLoadSize);
      },
      rom.signer);
  sweep.on_failure([&](const CaseFailure& failure) {
    for (const std::string& violation : failure.violations) {
      const std::string invariant = violation.substr(0, 2);
      const bool is_first = broken[invariant]++ == 0;
      if (is_first) print(recording, failure);
      if (invariant == options.caught_by) sweep.stop();
    }
  });
  const auto result = sweep.run();
  if (!result) return tl::unexpected(result.error());
  fmt::print("{}: {} operations, {} cases, {} states, {} boots, {} failures, {:.0f} cases/s\n",
             recording.name, recording.history.operations().size(), result->counts.cases,
             result->counts.distinct_states, result->counts.boots, result->counts.failures,
             static_cast<double>(result->counts.cases) / result->seconds);
  return {};
}

bool parse(int argc, char** argv, Options& options) {
  bool is_complete = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--holds") {
      is_complete = true;
    } else if (argument == "--crashes") {
      options.crashes = true;
    } else if (argument == "--caught-by" && i + 1 < argc) {
      options.caught_by = argv[++i];
      is_complete = true;
    } else if (argument == "--cuts" && i + 1 < argc) {
      options.cuts = static_cast<unsigned>(std::atoi(argv[++i]));
    } else {
      return false;
    }
  }
  if (options.crashes && options.caught_by != "S1") return false;
  return is_complete && options.cuts >= 1 && options.cuts <= sweep::kMaxCuts;
}

}  // namespace

int run_mutant(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    fmt::print(stderr, "usage: {} --caught-by INVARIANT [--crashes] | --holds [--cuts N]\n", argv[0]);
    return 2;
  }
  if (options.crashes) expect_crash();
  const Rom rom;
  Broken broken;
  for (const Recording& recording : record_histories(rom)) {
    if (auto swept = sweep_recording(recording, rom, options, broken); !swept) {
      fmt::print("{}: {}\n", recording.name, swept.error().message);
      return 1;
    }
    if (broken.contains(options.caught_by)) break;
  }
  for (const auto& [invariant, times] : broken) fmt::print("{} is broken {} times\n", invariant, times);
  if (options.caught_by.empty()) return broken.empty() ? 0 : 1;
  if (broken.contains(options.caught_by)) return 0;
  fmt::print("not caught: {} was to be broken\n", options.caught_by);
  return 1;
}

}  // namespace otasim::mutants
