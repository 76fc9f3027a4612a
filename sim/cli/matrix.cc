// `otasim matrix`: many cells at a time, each in a process of its own (`otasim run`), with its own lab, ports
// and folder, so that cells, and two matrices, know nothing of each other. No cell is tried twice.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "sim/base/child_process.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/cell_results.h"
#include "sim/cli/command.h"
#include "sim/cli/matrix_view.h"
#include "sim/cli/run_folder.h"
#include "sim/lab/boards.h"
#include "sim/report/html/html_report.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using scenario::PlannedCell;

struct MatrixOptions {
  std::vector<std::string> scenarios;
  scenario::CellChoice choice;
  bool without_slow = false;
  unsigned jobs = 0;
  std::string shard;
  unsigned repeat = 1;
  std::uint64_t seed = 1;
  std::string out;
  std::string junit;
  bool keep = false;
  bool json = false;
  bool quiet = false;
};

/// "2/5": every fifth cell, from the second on.
Result<void> take_shard(const std::string& shard, std::vector<PlannedCell>& cells) {
  unsigned number = 0;
  unsigned count = 0;
  char rest = 0;
  if (std::sscanf(shard.c_str(), "%u/%u%c", &number, &count, &rest) != 2 || number < 1 || number > count) {
    return fail(ExitCode::kUsage, fmt::format("--shard '{}' is not I/N with I from 1 to N", shard));
  }
  std::vector<PlannedCell> taken;
  for (std::size_t i = number - 1; i < cells.size(); i += count) taken.push_back(std::move(cells[i]));
  cells = std::move(taken);
  return {};
}

/// Runs the cells, so many at a time.
class Matrix {
 public:
  /// @param temporary  for what the cells have while they run: of one that is killed nobody else removes it
  Matrix(const MatrixOptions& options, std::vector<PlannedCell> cells, std::string program,
         std::string folder, TempDir temporary)
      : options_(options),
        cells_(std::move(cells)),
        program_(std::move(program)),
        folder_(std::move(folder)),
        temporary_(std::move(temporary)),
        view_(cells_.size(), options.quiet),
        signals_(io_, [this](int) { interrupt(); }) {}

  std::vector<CellResult> run() {
    results_.resize(cells_.size());
    boost::asio::post(io_, [this] { start_more(); });
    io_.run();
    view_.finish();
    return std::move(results_);
  }
  [[nodiscard]] bool was_interrupted() const { return is_interrupted_; }

 private:
  [[nodiscard]] std::string cell_folder(std::size_t index) const {
    std::string name = cells_[index].name();
    std::ranges::replace(name, '/', '-');
    return fmt::format("{}/{:04}-{}", folder_, index + 1, name);
  }

  void start_more() {
    const unsigned most =
        options_.jobs != 0 ? options_.jobs : std::max(1U, std::thread::hardware_concurrency());
    while (!is_interrupted_ && next_ < cells_.size() && running_.size() < most) {
      const std::size_t index = next_++;
      if (auto started = start(index); !started) could_not_start(index, started.error());
    }
    if (running_.empty()) signals_.stop();
  }

  Result<void> start(std::size_t index) {
    const PlannedCell& cell = cells_[index];
    const std::string folder = cell_folder(index);
    std::vector<std::string> arguments{"run",     cell.entry.asked_as,
                                       "--board", cell.cell.board,
                                       "--data",  cell.cell.data,
                                       "--seed",  std::to_string(cell.cell.seed),
                                       "--out",   folder,
                                       "--quiet", "--json"};
    auto child = ChildProcess::spawn(io_, {.program = program_,
                                           .arguments = std::move(arguments),
                                           .stdout_path = folder + ".out",
                                           .stderr_path = folder + ".err",
                                           .environment = {"TMPDIR=" + temporary_.path().string()}});
    if (!child) return tl::unexpected(child.error());
    (*child)->on_exit([this, index](ChildProcess::ExitStatus status) { finish(index, status); });
    running_[index] = std::move(*child);
    view_.start(cell.name());
    return {};
  }

  void could_not_start(std::size_t index, const Error& error) {
    results_[index] = empty_result(index);
    results_[index].result = "error";
    results_[index].failures.push_back(error.message);
    view_.start(cells_[index].name());
    view_.finish_cell(results_[index]);
  }

  void finish(std::size_t index, ChildProcess::ExitStatus status) {
    running_.erase(index);
    CellResult result = read_result(index, status);
    view_.finish_cell(result);
    if (result.passed() && !options_.keep) tidy(index);
    results_[index] = std::move(result);
    start_more();
  }

  CellResult read_result(std::size_t index, ChildProcess::ExitStatus status) {
    const auto bytes = read_file(cell_folder(index) + "/result.json");
    if (bytes) {
      const json value = json::parse(*bytes, nullptr, false);
      if (auto result = cell_result_from(value)) {
        result->repeat = cells_[index].command();
        return *result;
      }
    }
    CellResult result = empty_result(index);
    result.result = is_interrupted_ ? "interrupted" : "error";
    const auto said = read_file(cell_folder(index) + ".err");
    result.failures.push_back(
        said && !said->empty()
            ? std::string(said->begin(), said->end())
            : fmt::format("it ended with {} {}", status.signaled ? "signal" : "exit code", status.code));
    return result;
  }

  [[nodiscard]] CellResult empty_result(std::size_t index) const {
    CellResult result = result_of(cells_[index], "interrupted");
    result.run = cell_folder(index);
    return result;
  }

  /// Of a run that passed only the small files are kept.
  void tidy(std::size_t index) {
    std::error_code ignored;
    for (const char* suffix : {".out", ".err"}) fs::remove(cell_folder(index) + suffix, ignored);
    for (const auto& file : fs::recursive_directory_iterator(cell_folder(index), ignored)) {
      const std::string name = file.path().filename().string();
      if (name == "factory.bin" || name == "flash.bin" || name == "flash.ops" || name == "link.pcap")
        fs::remove(file.path(), ignored);
    }
  }

  /// Ends the cells that run; those that have not begun are reported as interrupted. Who interrupts a second
  /// time does not want to wait: a cell that has not ended yet is killed.
  void interrupt() {
    if (is_interrupted_) {
      for (const auto& [index, child] : running_) child->terminate_now();
      return;
    }
    is_interrupted_ = true;
    for (const auto& [index, child] : running_) child->terminate();
    for (std::size_t i = next_; i < cells_.size(); ++i) {
      results_[i] = empty_result(i);
      results_[i].failures.emplace_back("it was not begun");
    }
    next_ = cells_.size();
    if (running_.empty()) signals_.stop();
  }

  const MatrixOptions& options_;
  std::vector<PlannedCell> cells_;
  std::string program_;
  std::string folder_;
  TempDir temporary_;
  MatrixView view_;
  boost::asio::io_context io_;
  TerminationSignals signals_;
  std::map<std::size_t, std::unique_ptr<ChildProcess>> running_;
  std::size_t next_ = 0;
  std::vector<CellResult> results_;
  bool is_interrupted_ = false;
};

json report_of(const std::vector<CellResult>& results, std::int64_t wall_ms, const std::string& folder,
               bool was_interrupted) {
  json cells = json::array();
  for (const CellResult& result : results) cells.push_back(to_json(result));
  const auto passed = std::ranges::count_if(results, &CellResult::passed);
  return {{"passed", passed},
          {"failed", static_cast<std::ptrdiff_t>(results.size()) - passed},
          {"complete", !was_interrupted},
          {"wall_ms", wall_ms},
          {"run", folder},
          {"cells", std::move(cells)}};
}

Result<std::vector<PlannedCell>> planned(const MatrixOptions& options) {
  const auto entries = scenario::find_scenarios(options.scenarios);
  if (!entries) return tl::unexpected(entries.error());
  scenario::CellChoice choice = options.choice;
  choice.with_slow = !options.without_slow;
  std::vector<PlannedCell> cells;
  for (unsigned i = 0; i < options.repeat; ++i) {
    const auto once = plan_cells(*entries, choice, options.seed + i);
    cells.insert(cells.end(), once.begin(), once.end());
  }
  if (!options.shard.empty()) {
    if (auto taken = take_shard(options.shard, cells); !taken) return tl::unexpected(taken.error());
  }
  if (cells.empty()) {
    return fail(ExitCode::kUsage, "no cell is left by these options",
                "otasim scenario list shows the scenarios.");
  }
  return cells;
}

Result<void> matrix(const MatrixOptions& options, const std::string& program) {
  auto cells = planned(options);
  if (!cells) return tl::unexpected(cells.error());
  if (auto good = check_result_file("--junit", options.junit); !good) return good;
  const auto folder = make_run_folder(options.out, "matrix");
  if (!folder) return tl::unexpected(folder.error());
  auto temporary = TempDir::create();
  if (!temporary) return tl::unexpected(temporary.error());
  const auto start = std::chrono::steady_clock::now();
  Matrix matrix(options, std::move(*cells), program, *folder, std::move(*temporary));
  const std::vector<CellResult> results = matrix.run();
  const auto wall =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  const json report = report_of(results, wall.count(), *folder, matrix.was_interrupted());
  if (auto written = write_file_atomic(*folder + "/matrix.json", report.dump(2) + "\n"); !written)
    return written;
  const std::string junit = options.junit.empty() ? *folder + "/junit.xml" : options.junit;
  if (auto written = write_file_atomic(junit, junit_of(results)); !written) return written;
  const auto page = report::html::write_report(*folder, {});
  if (!page) return tl::unexpected(page.error());
  if (options.json) {
    fmt::print("{}\n", report.dump());
  } else {
    fmt::print("{} of {} passed in {:.1f} s; report: {}\n", report.at("passed").get<int>(), results.size(),
               static_cast<double>(wall.count()) / 1000, *page);
  }
  std::fflush(stdout);
  if (matrix.was_interrupted()) {
    return fail(ExitCode::kInterrupted,
                fmt::format("interrupted; the report of what had ended is in {}", *folder));
  }
  return verdict_of(results);
}

}  // namespace

void add_matrix(CLI::App& app, Command& command, const std::string& program) {
  static MatrixOptions options;
  CLI::App* matrix_command =
      app.add_subcommand("matrix", "Play many scenarios, on all boards and over both protocols");
  matrix_command->add_option("SCENARIO", options.scenarios, "Names or files (default: the whole library)");
  matrix_command->add_option("--board,--boards", options.choice.boards, "Boards (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(lab::board_names()));
  matrix_command->add_option("--data,--protocol", options.choice.data, "Data protocols (default: both)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"mqtt", "http"}));
  matrix_command->add_option("--filter", options.choice.filter,
                             "Part of the scenarios' names, or a pattern with * and ?");
  matrix_command->add_option("--class", options.choice.kinds, "Classes (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"aws", "aws-retired", "own"}));
  matrix_command->add_flag("--no-slow", options.without_slow, "Leave out what takes longer than seconds");
  matrix_command->add_option("--jobs", options.jobs, "Cells at a time (default: one for each core)")
      ->check(CLI::Range(1U, 1024U));
  matrix_command->add_option("--shard", options.shard, "I/N: only every N-th cell, from the I-th on");
  matrix_command
      ->add_option("--repeat", options.repeat, "Play every cell N times, with the seeds S, S+1, ...")
      ->check(CLI::Range(1U, 10000U))
      ->capture_default_str();
  matrix_command->add_option("--seed", options.seed, "Seed of the first time")->capture_default_str();
  matrix_command->add_option("--out", options.out, "Folder to make (default: otasim-runs/TIME-matrix)");
  matrix_command->add_option("--junit", options.junit, "JUnit XML file (default: junit.xml in the folder)");
  matrix_command->add_flag("--keep", options.keep, "Keep flash and captures of runs that passed, too");
  matrix_command->add_flag("--json", options.json, "Print one JSON object with all results on stdout");
  matrix_command->add_flag("--quiet", options.quiet, "No progress");
  matrix_command->callback([&command, program] { command = [program] { return matrix(options, program); }; });
}

}  // namespace otasim::cli
