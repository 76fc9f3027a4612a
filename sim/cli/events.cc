// `otasim events RUN`: all that happened in a run, flash operations and frames included, in time order: a
// line each for people, or JSON lines (docs/events.md).
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "sim/cli/command.h"
#include "sim/report/event_text.h"
#include "sim/report/run_stream.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct EventsOptions {
  std::string run;
  std::vector<std::string> sources;
  std::vector<std::string> devices;
  bool follow = false;
  bool json = false;
};

bool is_wanted(const std::vector<std::string>& wanted, const json& event, const char* member) {
  if (wanted.empty()) return true;
  const auto found = event.find(member);
  return found != event.end() && found->is_string() &&
         std::ranges::count(wanted, found->get_ref<const std::string&>()) != 0;
}

std::string line_of(const json& event) {
  constexpr double kMicroseconds = 1e6;
  const double seconds = static_cast<double>(event.at("t_us").get<std::int64_t>()) / kMicroseconds;
  const auto device = event.find("device");
  const std::string who = device != event.end() && device->is_string() ? device->get<std::string>() : "-";
  return fmt::format("{:12.6f}  {:<6}  {:<8}  {}\n", seconds,
                     report::printable_text(event.at("source").get<std::string>()),
                     report::printable_text(who), report::event_text(event));
}

/// Prints what there is. @returns false if nobody reads it any more
bool print_all(report::RunStream& stream, const EventsOptions& options) {
  while (const auto event = stream.next()) {
    if (!is_wanted(options.sources, *event, "source") || !is_wanted(options.devices, *event, "device"))
      continue;
    const std::string line =
        options.json ? event->dump(-1, ' ', false, json::error_handler_t::replace) + "\n" : line_of(*event);
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return false;
  }
  return std::fflush(stdout) == 0;
}

/// Tells when something in the run's folders has changed.
class FolderWatch {
 public:
  FolderWatch() : descriptor_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  /// Also watches folders that have come since; what is watched already stays so.
  [[nodiscard]] bool watch(const fs::path& run) {
    if (!add(run)) return false;
    std::error_code ignored;  // then it has none yet
    if (fs::is_directory(run / "devices", ignored)) static_cast<void>(add(run / "devices"));
    for (const report::RunDevice& device : report::devices_of_run(run.string()))
      static_cast<void>(add(device.folder));
    return true;
  }

  /// Returns when there was a change since the last call.
  [[nodiscard]] bool wait() const {
    pollfd waited{.fd = descriptor_, .events = POLLIN, .revents = 0};
    constexpr int kForever = -1;
    while (poll(&waited, 1, kForever) < 0) {
      if (errno != EINTR) return false;
    }
    constexpr std::size_t kBufferBytes = 16384;
    std::array<char, kBufferBytes> buffer{};
    while (read(descriptor_, buffer.data(), buffer.size()) > 0) {
    }
    return true;
  }

 private:
  [[nodiscard]] bool add(const fs::path& folder) const {
    return inotify_add_watch(descriptor_, folder.c_str(),
                             IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE) >= 0;
  }

  int descriptor_;
};

bool is_over(const fs::path& run) {
  std::error_code ignored;  // then it is not
  return fs::exists(run / "result.json", ignored);
}

/// Which file events.jsonl is.
using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> log_id(const fs::path& run) {
  struct stat status {};
  if (stat((run / "events.jsonl").c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

struct OpenedRun {
  report::RunStream stream;
  std::optional<FileId> log;  ///< that it reads
};

Result<OpenedRun> open_run(const EventsOptions& options) {
  for (;;) {
    const auto before = log_id(options.run);
    auto stream = report::RunStream::open(options.run, {.is_under_way = options.follow});
    if (!stream) return tl::unexpected(stream.error());
    if (before == log_id(options.run)) return OpenedRun{std::move(*stream), before};
  }
}

void tell_problems(const report::RunStream& stream) {
  for (const std::string& problem : stream.problems()) fmt::print(stderr, "otasim: {}\n", problem);
  if (stream.skipped_lines() != 0)
    fmt::print(stderr, "otasim: {} lines of the log are no events\n", stream.skipped_lines());
}

/// A lab that is started anew begins another log: what the old one still holds is shown first.
Result<bool> change_over(OpenedRun& opened, const EventsOptions& options) {
  const auto now = log_id(options.run);
  if (!now || now == opened.log) return true;
  opened.stream.look_again(true);
  if (!print_all(opened.stream, options)) return false;
  tell_problems(opened.stream);
  fmt::print(stderr, "otasim: the lab was started anew; its new log follows\n");
  auto next = open_run(options);
  if (!next) return tl::unexpected(next.error());
  opened = std::move(*next);
  return true;
}

Result<void> follow(OpenedRun& opened, const EventsOptions& options) {
  FolderWatch changes;
  const fs::path run(options.run);
  for (;;) {
    // In this order: what changes from here on ends the wait, and all that a run has written stood there
    // before its result did.
    if (!changes.watch(run)) {
      return fail(ExitCode::kEnvironment,
                  fmt::format("cannot watch '{}': {}", options.run, std::strerror(errno)),
                  "See fs.inotify.max_user_watches, or leave --follow away.");
    }
    const auto is_read = change_over(opened, options);
    if (!is_read) return tl::unexpected(is_read.error());
    const bool ends = is_over(run);
    opened.stream.look_again(ends);
    if (!*is_read || !print_all(opened.stream, options) || ends) return {};
    if (!changes.wait()) return fail(ExitCode::kEnvironment, "cannot wait for changes of the run's folder");
  }
}

Result<void> events(const EventsOptions& options) {
  auto opened = open_run(options);
  if (!opened) return tl::unexpected(opened.error());
  if (options.follow) {
    if (auto followed = follow(*opened, options); !followed) return followed;
  } else {
    static_cast<void>(print_all(opened->stream, options));
  }
  tell_problems(opened->stream);
  return {};
}

}  // namespace

void add_events(CLI::App& app, Command& command) {
  static EventsOptions options;
  CLI::App* events_command = app.add_subcommand(
      "events", "Print all that happened in a run, flash operations and frames included, in time order");
  events_command->add_option("RUN", options.run, "Folder of a run or a lab")
      ->required()
      ->check(CLI::ExistingDirectory);
  events_command->add_option("--source", options.sources, "Only of these sources")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"lab", "run", "device", "uart", "boot", "flash", "link", "broker", "cloud"}));
  events_command->add_option("--device", options.devices, "Only of these devices")
      ->delimiter(',')
      ->allow_extra_args(false);
  events_command->add_flag("--follow", options.follow,
                           "Go on with what comes, until the run is over; of a lab, until Ctrl-C");
  events_command->add_flag("--json", options.json, "Print JSON lines on stdout");
  events_command->callback([&command] { command = [] { return events(options); }; });
}

}  // namespace otasim::cli
