#include "sim/cli/sweep_complete.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "sim/base/child_process.h"
#include "sim/base/file_io.h"
#include "sim/base/signals.h"
#include "sim/report/event_log.h"
#include "sim/report/terminal_view.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// "S4: ..." as it is; what a run says otherwise is that the update came to no end.
std::string named_violation(const std::string& failure) {
  const bool is_named = failure.size() > 3 && (failure[0] == 'S' || failure[0] == 'L') && failure[2] == ':';
  return is_named ? failure : "L1: " + failure;
}

std::vector<std::string> ends_of(const json& jobs) {
  std::vector<std::string> ends;
  for (const json& job : jobs) ends.push_back(job.value("status", ""));
  return ends;
}

std::vector<std::string> arguments_of(const sweep::Recording& recording,
                                      const sweep::CompletionCase& wanted) {
  std::vector<std::string> arguments{"sweep",          "power-cut", "--recording",
                                     recording.folder, "--board",   recording.board,
                                     "--complete",     "--case",    wanted.name()};
  if (!wanted.is_delivered) arguments.emplace_back("--undelivered");
  return arguments;
}

std::string command_of(const std::vector<std::string>& arguments) {
  std::string command = "otasim";
  for (const std::string& argument : arguments) command += " " + scenario::shell_word(argument);
  return command;
}

/// What the recording's files say of devices was a scenario's once, and may be anybody's now.
Result<scenario::RunResult> play(const sweep::Recording& recording, const scenario::RunPlan& plan,
                                 report::EventLog& log) {
  try {
    return scenario::play(plan, log);
  } catch (const json::exception& error) {
    return fail(ExitCode::kUsage, fmt::format("{}/{} is damaged: {}", recording.folder,
                                              scenario::LabHistory::kFolder, error.what()));
  }
}

class Batch {
 public:
  Batch(const sweep::Recording& recording, const CompletionOptions& options,
        std::vector<sweep::CompletionCase> cases)
      : recording_(recording), options_(options), signals_(io_, [this](int) { interrupt(); }) {
    for (const sweep::CompletionCase& one : cases)
      results_.push_back({.wanted = one, .repeat = command_of(arguments_of(recording, one))});
  }

  Result<Completions> run() {
    boost::asio::post(io_, [this] { start_more(); });
    io_.run();
    progress_.finish();
    if (error_) return tl::unexpected(*error_);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
    Completions completions{
        .recording = recording_.name, .seconds = passed.count(), .was_interrupted = is_interrupted_};
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (is_done_.contains(i)) completions.cases.push_back(std::move(results_[i]));
    }
    return completions;
  }

 private:
  [[nodiscard]] std::string folder_of(std::size_t index) const {
    const CompletedCase& one = results_[index];
    std::string name = one.wanted.name();
    std::ranges::replace(name, ':', '-');
    return fmt::format("{}/{}-{}{}", options_.folder, recording_.name, name,
                       one.wanted.is_delivered ? "" : "-undelivered");
  }

  void start_more() {
    while (!is_interrupted_ && next_ < results_.size() && running_.size() < std::max(1U, options_.jobs)) {
      if (auto started = start(next_++); !started) {
        error_ = started.error();
        return interrupt();
      }
    }
    if (!options_.quiet) {
      progress_.show({.done = done_,
                      .total = results_.size(),
                      .unit = "updates",
                      .text = fmt::format("{} failed, {}", failed_, recording_.name),
                      .has_failed = failed_ != 0});
    }
    if (running_.empty()) signals_.stop();
  }

  Result<void> start(std::size_t index) {
    std::vector<std::string> arguments = arguments_of(recording_, results_[index].wanted);
    const std::string folder = folder_of(index);
    arguments.insert(arguments.end(), {"--out", folder, "--quiet"});
    auto child = ChildProcess::spawn(io_, {.program = options_.program,
                                           .arguments = std::move(arguments),
                                           .stdout_path = folder + ".out",
                                           .stderr_path = folder + ".err"});
    if (!child) return tl::unexpected(child.error());
    (*child)->on_exit([this, index](ChildProcess::ExitStatus status) { finish(index, status); });
    running_[index] = std::move(*child);
    return {};
  }

  void finish(std::size_t index, ChildProcess::ExitStatus status) {
    running_.erase(index);
    if (is_interrupted_) {
      remove_files(index);
      return start_more();
    }
    CompletedCase& result = results_[index];
    const std::string folder = folder_of(index);
    const auto bytes = read_file(folder + "/result.json");
    const json value = bytes ? json::parse(*bytes, nullptr, false) : json();
    if (value.is_object() && value.contains("failures")) {
      result.failures = value.at("failures").get<std::vector<std::string>>();
      result.ends = ends_of(value.value("jobs", json::array()));
    } else {
      const auto said = read_file(folder + ".err");
      error_ = Error{ExitCode::kEnvironment,
                     fmt::format("the case {} ended with {} {} and without a result:\n{}",
                                 result.wanted.name(), status.signaled ? "signal" : "exit code", status.code,
                                 said ? std::string(said->begin(), said->end()) : std::string()),
                     result.repeat};
      return interrupt();
    }
    is_done_.insert(index);
    ++done_;
    if (result.failures.empty()) {
      remove_files(index);
    } else {
      result.run = folder;
      if (failed_++ == 0) show(result);
    }
    start_more();
  }

  void remove_files(std::size_t index) {
    std::error_code ignored;
    fs::remove_all(folder_of(index), ignored);
    for (const char* suffix : {".out", ".err"}) fs::remove(folder_of(index) + suffix, ignored);
  }

  void show(const CompletedCase& result) {
    if (options_.quiet) return;
    const std::string name = fmt::format("{} cut at {}", recording_.name, result.wanted.name());
    progress_.line(fmt::format("failed {}, completed{}", name,
                               result.wanted.is_delivered ? "" : " without the last message"));
    for (const std::string& failure : result.failures) progress_.line("       " + failure);
    progress_.line("       run:    " + result.run);
    progress_.line("       repeat: " + result.repeat);
    progress_.pin(fmt::format("first failure: {}: {}", name, result.failures.front()));
  }

  /// A second time what has not ended is killed.
  void interrupt() {
    if (is_interrupted_) {
      for (const auto& [index, child] : running_) child->terminate_now();
      return;
    }
    is_interrupted_ = true;
    for (const auto& [index, child] : running_) child->terminate();
    if (running_.empty()) signals_.stop();
  }

  const sweep::Recording& recording_;
  const CompletionOptions& options_;
  report::Progress progress_{report::Console::standard_error()};
  report::ProgressTicker ticker_{progress_};
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  boost::asio::io_context io_;
  TerminationSignals signals_;
  std::vector<CompletedCase> results_;
  std::set<std::size_t> is_done_;
  std::map<std::size_t, std::unique_ptr<ChildProcess>> running_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  bool is_interrupted_ = false;
  std::optional<Error> error_;
};

}  // namespace

std::size_t Completions::failed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const CompletedCase& one) { return !one.failures.empty(); }));
}

Result<Completions> complete_sampled(const sweep::Recording& recording, const CompletionOptions& options) {
  const auto history = scenario::LabHistory::load(recording.folder);
  if (!history) return tl::unexpected(history.error());
  auto cases = sweep::sample_completions(recording, *history, options.cuts, options.seed);
  if (cases.empty()) {
    return fail(ExitCode::kUsage,
                fmt::format("in {} nothing was written to flash after a job was made", recording.folder));
  }
  return Batch(recording, options, std::move(cases)).run();
}

Result<CompletedCase> complete_one(const sweep::Recording& recording, const sweep::CompletionCase& wanted,
                                   const std::string& folder, bool is_quiet) {
  const auto history = scenario::LabHistory::load(recording.folder);
  if (!history) return tl::unexpected(history.error());
  auto prepared = sweep::prepare_completion(recording, *history, wanted, folder);
  if (!prepared) return tl::unexpected(prepared.error());
  std::vector<json> earlier;
  const auto log = report::EventLog::resume(folder + "/events.jsonl", earlier);
  if (!log) return tl::unexpected(log.error());
  report::Progress progress(report::Console::standard_error());
  const report::ProgressTicker ticker(progress);
  report::TerminalView view(progress, {});
  if (!is_quiet) (*log)->listen([&view](const json& event) { view.show(event); });
  const auto outcome = play(recording, prepared->plan, **log);
  view.finish();
  if (!outcome) return tl::unexpected(outcome.error());
  CompletedCase result{.wanted = wanted,
                       .ends = ends_of(outcome->jobs),
                       .repeat = command_of(arguments_of(recording, wanted)),
                       .run = folder};
  std::ranges::transform(outcome->failures, std::back_inserter(result.failures), named_violation);
  // A run that came to no end has said so.
  if (result.failures.empty()) result.failures = sweep::wrong_ends(outcome->jobs, prepared->may_end);
  const json value{
      {"recording", recording.name}, {"case", wanted.name()},  {"delivered", wanted.is_delivered},
      {"failures", result.failures}, {"jobs", outcome->jobs},  {"devices", outcome->devices},
      {"wall_ms", outcome->wall_ms}, {"repeat", result.repeat}};
  if (auto written = write_file_atomic(folder + "/result.json", value.dump(2) + "\n"); !written)
    return tl::unexpected(written.error());
  return result;
}

json to_json(const std::vector<Completions>& completions) {
  std::size_t cases = 0;
  std::size_t failed = 0;
  double seconds = 0;
  std::map<std::string, std::size_t> outcomes;
  json failures = json::array();
  for (const Completions& one : completions) {
    cases += one.cases.size();
    failed += one.failed();
    seconds += one.seconds;
    for (const CompletedCase& result : one.cases) {
      for (const std::string& end : result.ends) ++outcomes[end];
      if (result.failures.empty()) continue;
      failures.push_back({{"recording", one.recording},
                          {"case", result.wanted.name()},
                          {"delivered", result.wanted.is_delivered},
                          {"violations", result.failures},
                          {"run", result.run},
                          {"repeat", result.repeat}});
    }
  }
  return {{"cases", cases},
          {"failures", failed},
          {"outcomes", outcomes},
          {"seconds", seconds},
          {"cases_per_s", seconds > 0 ? static_cast<double>(cases) / seconds : 0},
          {"failed_cases", std::move(failures)}};
}

}  // namespace otasim::cli
