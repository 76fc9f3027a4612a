// `otasim report build|open`: the HTML page of a run, a matrix or a sweep, made from its folder
// (docs/report.md).
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>

#include "sim/base/child_process.h"
#include "sim/base/json.h"
#include "sim/cli/command.h"
#include "sim/cli/flash_keys.h"
#include "sim/cli/report_exports.h"
#include "sim/report/html/html_report.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::string run;
  std::string out;
  std::string keys;
  bool json = false;
};

Result<std::string> build(const ReportOptions& options) {
  const auto keys = load_flash_keys(options.keys);
  if (!keys) return tl::unexpected(keys.error());
  return report::html::write_report(options.run, *keys, options.out);
}

Result<void> build_and_tell(const ReportOptions& options) {
  const auto path = build(options);
  if (!path) return tl::unexpected(path.error());
  print_written(*path, options.json);
  return {};
}

/// Where the program stands that shows a file as the user's desktop does; empty: there is none.
std::string find_viewer() {
  const char* const variable = getenv("PATH");
  std::string_view folders = variable == nullptr ? "" : variable;
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    const std::string path = std::string(folders.substr(0, end)) + "/xdg-open";
    if (end != 0 && access(path.c_str(), X_OK) == 0) return path;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return {};
}

/// A display to open it on.
bool has_desktop() {
  const auto is_set = [](const char* name) {
    const char* const value = getenv(name);
    return value != nullptr && *value != '\0';
  };
  return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

Result<void> show(const std::string& viewer, const std::string& path) {
  boost::asio::io_context io;
  auto child = ChildProcess::spawn(io, {.program = viewer, .arguments = {path}});
  if (!child) return tl::unexpected(child.error());
  ChildProcess::ExitStatus ended{.signaled = false, .code = 0};
  (*child)->on_exit([&](ChildProcess::ExitStatus status) { ended = status; });
  io.run();
  if (!ended.signaled && ended.code == 0) return {};
  return fail(ExitCode::kEnvironment, fmt::format("{} could not show {}", viewer, path),
              "Open the file in a browser.");
}

/// Whether the page is there, and none of what it is made from has come or changed since.
bool is_up_to_date(const fs::path& page) {
  std::error_code error;
  const auto made = fs::last_write_time(page, error);
  if (error) return false;
  constexpr auto kSources =
      std::to_array<const char*>({"events.jsonl", "result.json", "matrix.json", "sweep.json"});
  return std::ranges::none_of(kSources, [&](const char* name) {
    std::error_code ignored;  // then it is not there
    const auto changed = fs::last_write_time(page.parent_path() / name, ignored);
    return !ignored && changed > made;
  });
}

Result<void> open(const ReportOptions& options) {
  const std::string path =
      (fs::absolute(options.run).lexically_normal() / report::html::kReportFile).string();
  if (!is_up_to_date(path)) {
    if (const auto built = build(options); !built) return tl::unexpected(built.error());
  }
  print_written(path, options.json);
  const std::string viewer = find_viewer();
  if (viewer.empty() || !has_desktop()) return {};
  return show(viewer, path);
}

void add_common(CLI::App* command, ReportOptions& options) {
  command->add_option("RUN", options.run, "Folder of a run, a lab, a matrix or a sweep")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_option("--keys", options.keys,
                      "Folder of the keys that images are verified with (default: this build's)");
  command->add_flag("--json", options.json, "Print JSON on stdout");
}

}  // namespace

void print_written(const std::string& path, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", nlohmann::json{{"path", path}}.dump());
  } else {
    fmt::print("{}\n", path);
  }
  std::fflush(stdout);
}

void add_report(CLI::App& app, Command& command) {
  static ReportOptions options;
  CLI::App* report = app.add_subcommand("report", "The HTML report of a run, a matrix or a sweep");
  report->require_subcommand(1);
  add_report_capture(*report, command);
  add_report_trace(*report, command);
  CLI::App* build_command = report->add_subcommand("build", "Make the report from what is in the folder");
  add_common(build_command, options);
  build_command->add_option("--out", options.out, "File to write (default: report.html in the folder)");
  build_command->callback([&command] { command = [] { return build_and_tell(options); }; });
  CLI::App* open_command = report->add_subcommand(
      "open", "Show the report, made now if the run has gone on since; without a desktop, print its path");
  add_common(open_command, options);
  open_command->callback([&command] { command = [] { return open(options); }; });
}

}  // namespace otasim::cli
