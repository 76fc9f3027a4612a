// How many boots a second a power-cut sweep gets out of a board in QEMU: the demo application's image,
// signature checks on, the bootloader as it is built.
//
// The flash states are those of an update that was cut before operations of the bootloader's, from the first
// boot to the commit. Boots of a machine that keeps its process (QemuMachine) are held against boots that
// have a new process each (FreshQemuMachine), with one worker and with several at once. All of them take
// turns in each round, so that they share whatever else the host is busy with. Then the whole update is swept
// on the host.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/base/worker_thread.h"
#include "sim/sweep/fresh_qemu_machine.h"
#include "sim/sweep/native_machine.h"
#include "sim/sweep/power_cut_sweep.h"
#include "sim/sweep/qemu_machine.h"
#include "tests/bench/need.h"
#include "tests/sim/sweep/recorded_update.h"

namespace otasim::bench {
namespace {

using Clock = std::chrono::steady_clock;
using sweep::BootMachine;
using sweep::Flash;
using sweep::RecordedUpdate;

struct Options {
  std::string board = "mps2-an385";
  unsigned workers = 2;
  unsigned rounds = 3;
  double seconds = 4;
};

/// Of which each worker boots one after the other.
constexpr std::size_t kStates = 12;

/// Flash states, and the pages in which they differ from each other.
struct Cases {
  std::vector<Flash> states;
  std::vector<std::uint32_t> pages;
};

Cases make_cases(const RecordedUpdate& update) {
  std::vector<std::size_t> of_boots;
  for (std::size_t i = 0; i < update.operations().size(); ++i) {
    const auto& operation = update.operations()[i];
    if (operation.source == flash::OpSource::kBoot && operation.applied > 0) of_boots.push_back(i);
  }
  Cases cases;
  for (std::size_t i = 0; i < kStates; ++i)
    cases.states.push_back(update.cut(of_boots.at(i * of_boots.size() / kStates), 0, 0));
  std::set<std::uint32_t> pages;
  for (const auto& operation : update.operations()) {
    const flash::Request request{
        .kind = operation.kind, .offset = operation.offset, .length = operation.length};
    const std::uint32_t begin = flash::first_cell(request);
    for (std::uint32_t at = begin; at < begin + operation.length; at += flash::kPageSize)
      pages.insert(at / flash::kPageSize);
  }
  cases.pages.assign(pages.begin(), pages.end());
  return cases;
}

class Worker {
 public:
  Worker(const Cases& cases, std::unique_ptr<BootMachine> machine)
      : cases_(cases), machine_(std::move(machine)) {
    std::ranges::copy(cases_.states.front().window, machine_->window().begin());
  }

  void boot() {
    const Flash& state = cases_.states[next_++ % cases_.states.size()];
    const auto window = machine_->window();
    for (const std::uint32_t page : cases_.pages) {
      const std::size_t at = std::size_t{page} * flash::kPageSize;
      std::memcpy(window.data() + at, state.window.data() + at, flash::kPageSize);
    }
    flash::CellState cells = state.cells;
    if (!need(machine_->boot(cells, next_)).reached_application) {
      fmt::print(stderr, "bench: a boot did not reach the application\n");
      std::_Exit(3);
    }
  }

 private:
  const Cases& cases_;
  std::unique_ptr<BootMachine> machine_;
  std::size_t next_ = 0;
};

enum class Process { kKept, kNew };

/// Of this process and of those that it has waited for, in seconds.
double cpu_seconds() {
  double seconds = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime})
      seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  }
  return seconds;
}

struct Rate {
  double boots_per_s;
  double cpu_ms_per_boot;  ///< the start of the processes that stay is a part of it
};

/// Of so many workers at once.
Rate measure(const Options& options, const lab::Board& board, const lab::BuildProducts& products,
             const Cases& cases, Process process, unsigned workers) {
  const double cpu_before = cpu_seconds();
  std::atomic<unsigned> ready = 0;
  std::atomic<bool> is_running = false;
  std::atomic<bool> is_over = false;
  std::atomic<unsigned> boots = 0;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < workers; ++i) {
    threads.push_back(start_worker([&] {
      const TempDir folder = need(TempDir::create());
      const std::string path = folder.path().string();
      std::unique_ptr<BootMachine> machine;
      if (process == Process::kKept) {
        machine = need(sweep::make_qemu_machine(board, products, path));
      } else {
        machine = need(sweep::FreshQemuMachine::create(board, products, path));
      }
      Worker worker(cases, std::move(machine));
      worker.boot();  // its process is there
      ++ready;
      ready.notify_all();
      is_running.wait(false);
      while (!is_over) {
        worker.boot();
        ++boots;
      }
    }));
  }
  for (unsigned seen = 0; seen < workers; seen = ready) ready.wait(seen);
  const auto began = Clock::now();
  is_running = true;
  is_running.notify_all();
  std::this_thread::sleep_until(began + std::chrono::duration<double>(options.seconds));
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  return {boots / std::chrono::duration<double>(Clock::now() - began).count(),
          1000 * (cpu_seconds() - cpu_before) / std::max(boots.load(), 1U)};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

void run(const Options& options) {
  const lab::Board* const board = lab::find_board(options.board);
  if (board == nullptr) {
    fmt::print(stderr, "bench: there is no board '{}'\n", options.board);
    std::_Exit(2);
  }
  const auto products = need(lab::BuildProducts::find(options.board));
  const Cases cases = [&] {
    const TempDir folder = need(TempDir::create());
    auto machine = need(sweep::make_qemu_machine(*board, products, folder.path().string()));
    return make_cases(need(RecordedUpdate::record(*machine, *board, products)));
  }();

  struct Setting {
    std::string_view name;
    Process process;
    unsigned workers;
    std::vector<double> rates = {};
    std::vector<double> cpu_ms = {};
  };
  std::vector<Setting> settings{{"one process for all boots, 1 worker", Process::kKept, 1},
                                {"one process for all boots, workers", Process::kKept, options.workers},
                                {"a new process for each boot, 1 worker", Process::kNew, 1},
                                {"a new process for each boot, workers", Process::kNew, options.workers}};
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (Setting& setting : settings) {
      const Rate rate = measure(options, *board, products, cases, setting.process, setting.workers);
      setting.rates.push_back(rate.boots_per_s);
      setting.cpu_ms.push_back(rate.cpu_ms_per_boot);
    }
  }
  fmt::print(
      "{:<47}{:>9}{:>16}\n",
      fmt::format("{}, {} workers, median of {} rounds", options.board, options.workers, options.rounds),
      "boots/s", "CPU ms a boot");
  for (const Setting& setting : settings)
    fmt::print("  {:<45}{:>9.1f}{:>16.1f}\n", setting.name, median(setting.rates), median(setting.cpu_ms));
  const auto ratio = [&](std::size_t a, std::size_t b) {
    return median(settings[a].rates) / median(settings[b].rates);
  };
  fmt::print("  one process against new ones, workers        x{:.2f}\n", ratio(1, 3));
  fmt::print("  workers against one, one process             x{:.2f}\n", ratio(1, 0));
}

/// Whole sweeps of the same update on the host, single and double cuts.
void run_native(const Options& options) {
  constexpr double kGoal = 10'000;
  const lab::Board* const board = lab::find_board(options.board);
  const auto products = need(lab::BuildProducts::find(options.board));
  const auto keys = need(sweep::RomKeys::load());
  const auto key = need(crypto::P256Key::load_private(products.boot_signing_key));
  const auto make = [&]() {
    return std::make_unique<sweep::NativeMachine>(keys, flash::kControllerPart, board->load_address,
                                                  flash::kSlotSize);
  };
  const RecordedUpdate update = need(RecordedUpdate::record(*make(), *board, products));
  const sweep::Recording recording{
      .name = "update",
      .folder = {},
      .board = options.board,
      .device = {},
      .history = need(flash_file::FlashHistory::make(update.factory(), {.operations = update.operations()}))};
  fmt::print("{:<47}{:>9}{:>9}{:>9}\n",
             fmt::format("native, {} workers (goal: {} cases/s)", options.workers, kGoal), "cases/s", "cases",
             "failed");
  for (const unsigned cuts : {1U, 2U}) {
    sweep::PowerCutSweep sweep(
        recording, {.cuts = cuts, .jobs = options.workers},
        [&](unsigned) -> Result<std::unique_ptr<BootMachine>> { return make(); }, key);
    const auto result = need(sweep.run());
    fmt::print("  {:<45}{:>9.0f}{:>9}{:>9}\n",
               cuts == 1 ? "every operation cut, torn points included" : "and every recovery",
               static_cast<double>(result.counts.cases) / result.seconds, result.counts.cases,
               result.counts.failures);
  }
}

}  // namespace
}  // namespace otasim::bench

int main(int argc, char** argv) {
  otasim::bench::Options options;
  CLI::App app{"Measures boots a second of the machines that a power-cut sweep uses."};
  app.add_option("--board", options.board, "The board");
  app.add_option("--workers", options.workers, "Machines at once")->check(CLI::Range(1, 64));
  app.add_option("--rounds", options.rounds, "How often each is measured")->check(CLI::Range(1, 100));
  app.add_option("--seconds", options.seconds, "How long a measurement takes")->check(CLI::Range(0.5, 600.0));
  CLI11_PARSE(app, argc, argv);
  otasim::bench::run(options);
  otasim::bench::run_native(options);
  return 0;
}
