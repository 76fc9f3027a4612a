// `otasim up`: a lab that stays up, in the foreground, until Ctrl-C.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/base/signals.h"
#include "sim/broker/port_reservation.h"
#include "sim/cli/command.h"
#include "sim/control/lab_commands.h"
#include "sim/control/server.h"
#include "sim/lab/fleet.h"
#include "sim/lab/lab_folder.h"
#include "sim/lab/running_lab.h"
#include "sim/report/event_log.h"
#include "sim/report/terminal_view.h"

namespace otasim::cli {
namespace {

struct UpOptions {
  LabOptions common;
  std::uint16_t mqtt_port = 0;
  bool quiet = false;
  std::string program;  ///< as the user called it
};

/// The port the lab is to use: the one it has, once it has devices that know it.
Result<std::uint16_t> choose_port(const UpOptions& options, const lab::LabFolder& folder) {
  const std::uint16_t kept = folder.mqtt_port();
  std::error_code ignored;
  const std::string devices = folder.path() + "/devices";
  const bool has_devices =
      std::filesystem::exists(devices, ignored) && !std::filesystem::is_empty(devices, ignored);
  if (kept == 0 || (options.mqtt_port != 0 && !has_devices)) return options.mqtt_port;
  if (options.mqtt_port != 0 && options.mqtt_port != kept) {
    return fail(
        ExitCode::kUsage,
        fmt::format("this lab's devices are provisioned with MQTT port {}, not {}", kept, options.mqtt_port),
        "Leave --mqtt-port out, or start a new lab in another folder with --lab.");
  }
  if (const auto free = broker::PortReservation::take(kept); !free) {
    return fail(
        ExitCode::kEnvironment, fmt::format("the lab's MQTT port {} is in use by another process", kept),
        "The lab's devices are provisioned with that port. End what uses it, or start a new lab in another\n"
        "folder with --lab.");
  }
  return kept;
}

/// The log of the start before stays for one generation.
Result<std::unique_ptr<report::EventLog>> open_log(const std::string& folder) {
  std::error_code ignored;  // at the first start there is none
  std::filesystem::rename(folder + "/events.jsonl", folder + "/events.1.jsonl", ignored);
  return report::EventLog::create(folder + "/events.jsonl");
}

void print_welcome(const nlohmann::json& lab, const std::string& program) {
  const auto text = [&lab](const char* name) { return lab.value(name, ""); };
  const std::string folder = text("folder");
  const std::string ca = text("ca");
  const int port = lab.value("mqtt_port", 0);
  fmt::print(
      "The lab is up in {folder}; Ctrl-C ends it, and otasim up goes on with it.\n"
      "  MQTT over TLS  {endpoint}:{port} on 127.0.0.1, with a client certificate of the lab\n"
      "  objects        https://{endpoint}:{object_port}, presigned URLs\n"
      "  CA             {ca}\n"
      "\n"
      "In another terminal:\n"
      "  export OTASIM_LAB='{folder}'\n"
      "  {program} device add thing-1                          # boots firmware 1.0.0\n"
      "  {program} job create u1 --version 1.1.0 --target thing-1\n"
      "  {program} job watch u1\n"
      "  {program} device console thing-1 --follow\n"
      "\n"
      "A device of your own, here Mosquitto's client:\n"
      "  {program} device add mine --off                       # its key and certificate\n"
      "  mosquitto_sub -h localhost -p {port} -i mine --cafile '{ca}' \\\n"
      "    --cert '{folder}/devices/mine/device.cert.pem' --key '{folder}/devices/mine/device.key.pem' \\\n"
      "    -t '$aws/things/mine/jobs/notify-next' -v\n",
      fmt::arg("folder", folder), fmt::arg("endpoint", text("endpoint")), fmt::arg("port", port),
      fmt::arg("object_port", lab.value("object_port", 0)), fmt::arg("ca", ca), fmt::arg("program", program));
}

/// The lab of one `up`. Members are in order of construction; destruction takes the devices' power first.
class Up {
 public:
  Up(const UpOptions& options, report::TerminalView& view)
      : options_(options), view_(view), signals_(io_, [this](int) { handle_signal(); }) {}

  Result<void> run() {
    if (auto started = start(); !started) return started;
    lab_->on_exit([this](const Error& error) { end(error); });
    lab_->when_ready([this] {
      fleet_->power_up();
      announce();
    });
    io_.run();
    keep_broker_log();
    if (error_) return tl::unexpected(*error_);
    return {};
  }

 private:
  Result<void> start() {
    auto folder = lab::LabFolder::claim(io_, options_.common.folder());
    if (!folder) return tl::unexpected(folder.error());
    folder_ = std::move(*folder);
    const auto port = choose_port(options_, *folder_);
    if (!port) return tl::unexpected(port.error());
    auto identities = lab::Lab::open_or_create(folder_->path());
    if (!identities) return tl::unexpected(identities.error());
    auto log = open_log(folder_->path());
    if (!log) return tl::unexpected(log.error());
    log_ = std::move(*log);
    if (!options_.quiet) log_->listen([this](const nlohmann::json& event) { view_.show(event); });

    // The broker is the same for all boards.
    const auto products = lab::BuildProducts::find(std::string(lab::boards().front().name));
    if (!products) return tl::unexpected(products.error());
    auto lab = lab::RunningLab::start(
        io_, std::move(*identities),
        {.socket_folder = folder_->temporary(), .mqtt_port = *port, .broker_plugin = products->broker_plugin},
        *log_);
    if (!lab) return tl::unexpected(lab.error());
    lab_ = std::move(*lab);
    if (auto kept = folder_->keep_mqtt_port(lab_->mqtt_port()); !kept) return kept;
    auto fleet = lab::Fleet::open(*lab_, folder_->temporary());
    if (!fleet) return tl::unexpected(fleet.error());
    fleet_ = std::move(*fleet);

    control::add_lab_commands(commands_, *lab_, *fleet_);
    auto server =
        control::Server::listen(io_, folder_->control_socket(),
                                [this](const control::Request& request, const control::ReplyPtr& reply) {
                                  commands_.handle(request, reply);
                                });
    if (!server) return tl::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  void announce() {
    const nlohmann::json lab = control::describe_lab(*lab_);
    if (options_.common.json) {
      fmt::print("{}\n", lab.dump());
    } else {
      print_welcome(lab, options_.program);
    }
    std::fflush(stdout);
  }

  /// The first signal takes the devices down in order, a second one the power of all.
  void handle_signal() {
    if (is_ending_) return io_.stop();
    is_ending_ = true;
    server_.reset();
    fleet_->stop_all([this] { io_.stop(); });
  }

  void end(const Error& error) {
    error_ = error;
    io_.stop();
  }

  void keep_broker_log() const {
    std::error_code ignored;
    std::filesystem::copy_file(folder_->temporary() + "/mosquitto.log", folder_->path() + "/broker.log",
                               std::filesystem::copy_options::overwrite_existing, ignored);
  }

  const UpOptions& options_;
  report::TerminalView& view_;
  boost::asio::io_context io_;
  TerminationSignals signals_;  // one that comes during the start is handled after it
  std::unique_ptr<lab::LabFolder> folder_;
  std::unique_ptr<report::EventLog> log_;
  std::unique_ptr<lab::RunningLab> lab_;
  std::unique_ptr<lab::Fleet> fleet_;
  control::CommandTable commands_;
  std::unique_ptr<control::Server> server_;
  std::optional<Error> error_;
  bool is_ending_ = false;
};

Result<void> up(const UpOptions& options) {
  auto style = report::TerminalView::style_for(stderr);
  style.fleet = true;
  report::TerminalView view(stderr, style);
  Result<void> result = Up(options, view).run();
  view.finish();
  return result;
}

}  // namespace

void add_up(CLI::App& app, Command& command, const std::string& program) {
  static UpOptions options;
  options.program = program;
  CLI::App* const up_command =
      app.add_subcommand("up", "Start a lab that stays up, or go on with one, until Ctrl-C");
  add_lab_options(up_command, options.common);
  up_command->add_option(
      "--mqtt-port", options.mqtt_port,
      "Port for MQTT over TLS on 127.0.0.1 (default: the lab's; for a new lab any free one)");
  up_command->add_flag("--quiet", options.quiet, "Show no events on stderr");
  up_command->callback([&command] { command = [] { return up(options); }; });
}

}  // namespace otasim::cli
