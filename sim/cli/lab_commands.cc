// `otasim status`, `otasim down`: the lab that runs in a folder, seen and ended from outside.
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/base/unique_fd.h"
#include "sim/cli/command.h"
#include "sim/control/client.h"
#include "sim/lab/aws_profile.h"
#include "sim/web/address_file.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

/// Devices are taken down in order; each is given some seconds.
constexpr std::chrono::seconds kEndLimit{30};

void print_status(const json& lab) {
  const auto text = [&lab](const char* name) { return text_member(lab, name).value_or(""); };
  const std::string host = lab::shown_host(text("endpoint"));
  const auto number = [&lab](const char* name) { return integer_member(lab, name).value_or(0); };
  fmt::print(
      "up in {} (pid {})\n"
      "  AWS interface  {}, account {}, region {}\n"
      "  MQTT           {}:{}\n"
      "  jobs           https://{}:{}\n"
      "  by ALPN        {}:{}\n"
      "  CA             {}\n"
      "  credentials    {}\n"
      "  devices        {}, {} of them connected\n",
      text("folder"), number("pid"), text("aws_endpoint"), text("account"), text("region"), host,
      number("mqtt_port"), host, number("jobs_port"), host, number("alpn_port"), text("ca"),
      text("environment"), number("devices"), number("devices_connected"));
  if (!text("web").empty())
    fmt::print("  live page      {} (otasim web prints the address that opens it)\n", text("web"));
}

void print_not_running(const LabOptions& options) {
  const json lab{{"running", false}, {"folder", options.folder()}};
  // The folder may be called anything.
  fmt::print("{}\n", lab.dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<void> status(const LabOptions& options) {
  const auto lab = control::call_lab(options.folder(), {"lab.show"});
  if (!lab) {
    if (options.json) print_not_running(options);
    return tl::unexpected(lab.error());
  }
  if (options.json) {
    json described = *lab;
    described["running"] = true;
    fmt::print("{}\n", described.dump());
  } else {
    print_status(*lab);
  }
  return {};
}

Result<void> web_address(const LabOptions& options) {
  const auto lab = control::call_lab(options.folder(), {"lab.show"});
  if (!lab) return tl::unexpected(lab.error());
  if (!text_member(*lab, "web")) {
    return fail(ExitCode::kEnvironment, fmt::format("the lab in '{}' serves no page", options.folder()),
                "End it with otasim down, and start it again with otasim up --web.");
  }
  const auto address = web::read_address(options.folder());
  if (!address) return tl::unexpected(address.error());
  fmt::print("{}\n", options.json ? json{{"web_url", *address}}.dump() : *address);
  return {};
}

/// @returns whether the process ended in time
bool wait_for_end(const UniqueFd& process) {
  pollfd wait{process.get(), POLLIN, 0};
  const auto limit = std::chrono::steady_clock::now() + kEndLimit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    if (::poll(&wait, 1, static_cast<int>(left.count())) > 0) return true;
  }
}

Result<void> down(const LabOptions& options) {
  const auto lab = control::call_lab(options.folder(), {"lab.show"});
  if (!lab) return tl::unexpected(lab.error());
  const std::int64_t pid = integer_member(*lab, "pid").value_or(0);
  // Held before the lab is told: the number is not another process's then.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // The lab may be gone before its answer is; what counts is that it ends.
  (void)control::call_lab(options.folder(), {"lab.stop"});
  if (process && !wait_for_end(process)) {
    return fail(ExitCode::kEnvironment,
                fmt::format("the lab in '{}' was told to end, and still runs after {} s (pid {})",
                            options.folder(), kEndLimit.count(), pid),
                fmt::format("Its log is {0}/up.log. kill {1} ends it at once, as a power cut does.",
                            options.folder(), pid));
  }
  if (options.json) print_not_running(options);
  return {};
}

}  // namespace

void add_status(CLI::App& app, Command& command) {
  static LabOptions options;
  CLI::App* const status_command =
      app.add_subcommand("status", "Tell whether a lab is up, and where; exit code 3 if none is");
  add_lab_options(status_command, options);
  status_command->callback([&command] { command = [] { return status(options); }; });
}

void add_web(CLI::App& app, Command& command) {
  static LabOptions options;
  CLI::App* const web_command = app.add_subcommand(
      "web", "Print the address of the running lab's live page, with the token that opens it");
  add_lab_options(web_command, options);
  web_command->callback([&command] { command = [] { return web_address(options); }; });
}

void add_down(CLI::App& app, Command& command) {
  static LabOptions options;
  CLI::App* const down_command =
      app.add_subcommand("down", "End the lab in a folder: its devices in order, and then all of it");
  add_lab_options(down_command, options);
  down_command->callback([&command] { command = [] { return down(options); }; });
}

}  // namespace otasim::cli
