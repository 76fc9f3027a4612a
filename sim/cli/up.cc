// `otasim up`: a lab that stays up, in the foreground until Ctrl-C or in the background until `otasim down`.
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "sim/base/json.h"
#include "sim/base/signals.h"
#include "sim/broker/port_reservation.h"
#include "sim/cli/command.h"
#include "sim/cli/detached_process.h"
#include "sim/cli/flash_keys.h"
#include "sim/cli/key_log.h"
#include "sim/control/lab_commands.h"
#include "sim/control/server.h"
#include "sim/lab/aws_profile.h"
#include "sim/lab/console_client.h"
#include "sim/lab/fleet.h"
#include "sim/lab/lab_folder.h"
#include "sim/lab/running_lab.h"
#include "sim/report/event_log.h"
#include "sim/report/terminal_view.h"
#include "sim/web/address_file.h"
#include "sim/web/web_server.h"

namespace otasim::cli {
namespace {

/// The longest name that DNS knows.
constexpr std::size_t kMaxHostName = 253;

constexpr std::array<std::pair<const char*, std::uint16_t lab::LabPorts::*>, 4> kPortOptions{{
    {"--mqtt-port", &lab::LabPorts::mqtt},
    {"--https-port", &lab::LabPorts::https},
    {"--jobs-port", &lab::LabPorts::jobs},
    {"--alpn-port", &lab::LabPorts::alpn},
}};

struct UpOptions {
  LabOptions common;
  lab::LabPorts ports;
  std::string host;
  bool throttle = false;
  bool keylog = false;
  bool quiet = false;
  bool detach = false;
  bool web = false;
  std::uint16_t web_port = 0;
  bool is_detached = false;  ///< this is the copy that goes on in the background
  std::string program;       ///< as the user called it
};

bool is_free(std::uint16_t port) {
  return broker::PortReservation::take(port).has_value();
}

/// The port for MQTT: the one the lab has, once it has devices that know it.
Result<std::uint16_t> choose_mqtt_port(const UpOptions& options, const lab::LabFolder& folder) {
  const std::uint16_t kept = folder.ports().mqtt;
  std::error_code ignored;
  const std::string devices = folder.path() + "/devices";
  const bool has_devices =
      std::filesystem::exists(devices, ignored) && !std::filesystem::is_empty(devices, ignored);
  if (kept == 0 || (options.ports.mqtt != 0 && !has_devices)) return options.ports.mqtt;
  if (options.ports.mqtt != 0 && options.ports.mqtt != kept) {
    return fail(
        ExitCode::kUsage,
        fmt::format("this lab's devices are provisioned with MQTT port {}, not {}", kept, options.ports.mqtt),
        "Leave --mqtt-port out, or start a new lab in another folder with --lab.");
  }
  if (!is_free(kept)) {
    return fail(
        ExitCode::kEnvironment, fmt::format("the lab's MQTT port {} is in use by another process", kept),
        "The lab's devices are provisioned with that port. End what uses it, or start a new lab in another\n"
        "folder with --lab.");
  }
  return kept;
}

/// The others are the lab's of before, if they are free: devices are told of them anew.
Result<lab::LabPorts> choose_ports(const UpOptions& options, const lab::LabFolder& folder) {
  const auto mqtt = choose_mqtt_port(options, folder);
  if (!mqtt) return tl::unexpected(mqtt.error());
  lab::LabPorts ports = options.ports;
  ports.mqtt = *mqtt;
  for (const auto port : {&lab::LabPorts::https, &lab::LabPorts::jobs, &lab::LabPorts::alpn}) {
    const std::uint16_t kept = folder.ports().*port;
    if (ports.*port == 0 && kept != 0 && is_free(kept)) ports.*port = kept;
  }
  return ports;
}

/// The log of the start before stays for one generation.
Result<std::unique_ptr<report::EventLog>> open_log(const std::string& folder) {
  std::error_code ignored;  // at the first start there is none
  std::filesystem::rename(folder + "/events.jsonl", folder + "/events.1.jsonl", ignored);
  return report::EventLog::create(folder + "/events.jsonl");
}

void print_welcome(const nlohmann::json& lab, const UpOptions& options) {
  const auto text = [&lab](const char* name) { return lab.value(name, ""); };
  const std::string end = options.detach ? fmt::format("{} down ends it", options.program) : "Ctrl-C ends it";
  fmt::print(
      "The lab is up in {folder}; {end}, and otasim up goes on with it.\n"
      "  AWS interface  {aws}, account {account}, region {region}\n"
      "  MQTT           {host}:{mqtt}, TLS with a client certificate of the lab\n"
      "  jobs           https://{host}:{jobs}, with a client certificate of the lab\n"
      "  by ALPN        {host}:{alpn}, MQTT and HTTPS on one port\n"
      "  CA             {ca}\n"
      "  credentials    {environment}\n"
      "{web}"
      "\n"
      "In another terminal:\n"
      "  . '{environment}'                                     # for otasim and for aws\n"
      "  {program} device add thing-1                          # boots firmware 1.0.0\n"
      "  {program} job create u1 --version 1.1.0 --target thing-1\n"
      "  {program} job watch u1\n"
      "  {program} device console thing-1 --follow\n"
      "  aws iot list-things; aws iot list-ota-updates\n"
      "\n"
      "What happens at the broker, with Mosquitto's client:\n"
      "  mosquitto_sub -h localhost -p {mqtt} -i console --cafile '{ca}' \\\n"
      "    --cert '{folder}/console.cert.pem' --key '{folder}/console.key.pem' -t '$aws/events/#' -v\n"
      "\n"
      "A device of your own:\n"
      "  {program} device add mine --off                       # its key and certificate\n"
      "  mosquitto_sub -h localhost -p {mqtt} -i mine --cafile '{ca}' \\\n"
      "    --cert '{folder}/devices/mine/device.cert.pem' --key '{folder}/devices/mine/device.key.pem' \\\n"
      "    -t '$aws/things/mine/jobs/notify-next' -v\n",
      fmt::arg("folder", text("folder")), fmt::arg("end", end), fmt::arg("aws", text("aws_endpoint")),
      fmt::arg("account", text("account")), fmt::arg("region", text("region")),
      fmt::arg("host", lab::shown_host(text("endpoint"))), fmt::arg("mqtt", lab.value("mqtt_port", 0)),
      fmt::arg("jobs", lab.value("jobs_port", 0)), fmt::arg("alpn", lab.value("alpn_port", 0)),
      fmt::arg("ca", text("ca")), fmt::arg("environment", text("environment")),
      fmt::arg("web", text("web_url").empty() ? "" : fmt::format("  live page      {}\n", text("web_url"))),
      fmt::arg("program", options.program));
}

void show(const nlohmann::json& lab, const UpOptions& options) {
  if (options.common.json) {
    fmt::print("{}\n", lab.dump());
  } else {
    print_welcome(lab, options);
  }
  std::fflush(stdout);
  if (options.keylog && !options.is_detached) tell_key_log(lab.value("folder", ""));
}

/// The lab of one `up`. Members are in order of construction; destruction takes the devices' power first.
class Up {
 public:
  Up(const UpOptions& options, report::Progress& progress)
      : options_(options), progress_(progress), signals_(io_, [this](int) { handle_signal(); }) {}

  Result<void> run() {
    if (auto started = start(); !started) return started;
    lab_->on_exit([this](const Error& error) { end(error); });
    lab_->when_ready([this] {
      fleet_->power_up();
      announce();
    });
    io_.run();
    if (web_) web::forget_address(folder_->path());
    keep_broker_log();
    tell_log_end();
    if (error_) return tl::unexpected(*error_);
    return {};
  }

 private:
  Result<void> start() {
    auto folder = lab::LabFolder::claim(io_, options_.common.folder());
    if (!folder) return tl::unexpected(folder.error());
    folder_ = std::move(*folder);
    const auto ports = choose_ports(options_, *folder_);
    if (!ports) return tl::unexpected(ports.error());
    auto identities = lab::Lab::open_or_create(folder_->path());
    if (!identities) return tl::unexpected(identities.error());
    if (auto named = identities->serve_as(options_.host); !named) return named;
    auto log = open_log(folder_->path());
    if (!log) return tl::unexpected(log.error());
    log_ = std::move(*log);
    if (!options_.quiet) log_->listen([this](const nlohmann::json& event) { view_.show(event); });
    if (options_.web) log_->listen(web_events_.listener());
    log_->listen([this](const nlohmann::json&) { look_after_log(); });

    // The broker is the same for all boards.
    const auto products = lab::BuildProducts::find(std::string(lab::boards().front().name));
    if (!products) return tl::unexpected(products.error());
    auto lab = lab::RunningLab::start(io_, std::move(*identities),
                                      {.socket_folder = folder_->temporary(),
                                       .ports = *ports,
                                       .broker_plugin = products->broker_plugin,
                                       .host = options_.host,
                                       .throttle = options_.throttle,
                                       .key_log_path = options_.keylog ? key_log_of(folder_->path()) : ""},
                                      *log_);
    if (!lab) return tl::unexpected(lab.error());
    lab_ = std::move(*lab);
    if (auto kept = folder_->keep_ports(lab_->ports()); !kept) return kept;
    if (const auto console = lab::register_console(*lab_); !console) return tl::unexpected(console.error());
    const auto environment =
        lab::write_aws_environment(lab_->identities(), lab::aws_endpoint(lab_->host(), lab_->https_port()));
    if (!environment) return tl::unexpected(environment.error());
    auto fleet = lab::Fleet::open(*lab_, folder_->temporary(), {.log_flash = options_.web});
    if (!fleet) return tl::unexpected(fleet.error());
    fleet_ = std::move(*fleet);

    control::add_lab_commands(commands_, *lab_, *fleet_);
    commands_.add("lab.show",
                  [this](control::Arguments& arguments, const control::ReplyPtr&) -> control::Answer {
                    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
                    return describe();
                  });
    commands_.add("lab.stop",
                  [this](control::Arguments& arguments, const control::ReplyPtr&) -> control::Answer {
                    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
                    // After the answer has gone.
                    boost::asio::post(io_, [this] { handle_signal(); });
                    return nlohmann::json::object();
                  });
    auto server =
        control::Server::listen(io_, folder_->control_socket(),
                                [this](const control::Request& request, const control::ReplyPtr& reply) {
                                  commands_.handle(request, reply);
                                  if (web_) web_->look_again();
                                });
    if (!server) return tl::unexpected(server.error());
    server_ = std::move(*server);
    return options_.web ? start_page() : Result<void>{};
  }

  Result<void> start_page() {
    auto keys = load_flash_keys({});
    if (!keys) return tl::unexpected(keys.error());
    auto page = web::WebServer::start(io_, web_events_, commands_,
                                      {.lab = [this] { return describe(); },
                                       .folder_of =
                                           [this](const std::string& name) {
                                             const auto device = fleet_->find(name);
                                             return device ? (*device)->spec().folder : std::string();
                                           },
                                       .keys = std::move(*keys)},
                                      {.port = options_.web_port});
    if (!page) return tl::unexpected(page.error());
    web_ = std::move(*page);
    return web::write_address(folder_->path(), web_->way_in());
  }

  /// A listener: a lab whose disk is full goes on, and says at once that it keeps no log any more.
  void look_after_log() {
    if (log_->write_error() == 0 || has_log_ended_.exchange(true)) return;
    boost::asio::post(io_, [this] {
      tell_log_end();
      // The file has no room for it, but the page hears it.
      log_->emit("lab", "log_ended", {{"text", log_problem()}});
    });
  }

  void tell_log_end() {
    if (log_problem().empty() || std::exchange(is_log_end_told_, true)) return;
    progress_.step_aside([this] { fmt::print(stderr, "otasim: warning: {}\n", log_problem()); });
  }

  /// Empty: there is none.
  [[nodiscard]] std::string log_problem() const {
    const int failed = log_->write_error();
    return failed == 0 ? "" : fmt::format("events.jsonl ends early: {}", std::strerror(failed));
  }

  nlohmann::json describe() {
    nlohmann::json lab = control::describe_lab(*lab_, *fleet_);
    if (web_) lab["web"] = web_->address();
    if (std::string problem = log_problem(); !problem.empty()) lab["log_problem"] = std::move(problem);
    return lab;
  }

  void announce() {
    nlohmann::json lab = describe();
    if (web_) lab["web_url"] = web_->way_in();  // with the token: this once
    if (!options_.is_detached) return progress_.step_aside([&] { show(lab, options_); });
    if (const auto told = tell_ready(lab.dump(), folder_->path() + "/up.log"); !told) end(told.error());
  }

  /// The first signal takes the devices down in order, a second one the power of all.
  void handle_signal() {
    if (is_ending_) return io_.stop();
    is_ending_ = true;
    // Those who wait for an answer are not served any more, but the one who asked for the end has his.
    server_.reset();
    const auto stop_devices = [this] { fleet_->stop_all([this] { io_.stop(); }); };
    if (!web_) return stop_devices();
    web_->end(stop_devices);
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
  report::Progress& progress_;
  report::TerminalView view_{progress_, {.fleet = true, .stays = true}};
  boost::asio::io_context io_;
  TerminationSignals signals_;  // one that comes during the start is handled after it
  web::EventFeed web_events_{io_};
  std::unique_ptr<lab::LabFolder> folder_;
  std::unique_ptr<report::EventLog> log_;
  std::unique_ptr<lab::RunningLab> lab_;
  std::unique_ptr<lab::Fleet> fleet_;
  control::CommandTable commands_;
  std::unique_ptr<control::Server> server_;
  std::unique_ptr<web::WebServer> web_;
  std::optional<Error> error_;
  bool is_ending_ = false;
  std::atomic<bool> has_log_ended_ = false;
  bool is_log_end_told_ = false;
};

Result<void> up(const UpOptions& options) {
  report::Progress progress(report::Console::standard_error());
  const report::ProgressTicker ticker(progress);
  return Up(options, progress).run();
}

Result<void> up_in_background(const UpOptions& options) {
  std::vector<std::string> arguments{"up", "--detached", "--quiet", "--lab", options.common.folder()};
  const auto add = [&arguments](const char* name, const std::string& value) {
    arguments.insert(arguments.end(), {name, value});
  };
  for (const auto& [name, port] : kPortOptions) add(name, std::to_string(options.ports.*port));
  if (!options.host.empty()) add("--host", options.host);
  if (options.throttle) arguments.emplace_back("--throttle");
  if (options.web)
    arguments.insert(arguments.end(), {"--web", "--web-port", std::to_string(options.web_port)});
  if (options.keylog) arguments.emplace_back("--keylog");
  const auto ready = start_detached(arguments);
  if (!ready) return tl::unexpected(ready.error());
  show(nlohmann::json::parse(*ready, nullptr, /*allow_exceptions=*/false), options);
  return {};
}

/// Presigned URLs and certificates carry it.
std::string check_host(const std::string& host) {
  const bool is_name =
      !host.empty() && host.size() <= kMaxHostName &&
      host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
          std::string::npos &&
      host.find_first_not_of("0123456789.") != std::string::npos;
  return is_name ? "" : "give a host name that leads to this machine, not an address";
}

}  // namespace

void add_up(CLI::App& app, Command& command, const std::string& program) {
  static UpOptions options;
  options.program = program;
  CLI::App* const up_command =
      app.add_subcommand("up", "Start a lab that stays up, or go on with one, until Ctrl-C");
  add_lab_options(up_command, options.common);
  up_command->add_option("--mqtt-port", options.ports.mqtt,
                         "Port for MQTT over TLS (default: the lab's; for a new lab any free one)");
  up_command->add_option("--https-port", options.ports.https,
                         "Port of the AWS interface (default: the lab's; for a new lab any free one)");
  up_command->add_option("--jobs-port", options.ports.jobs,
                         "Port of the jobs data plane with client certificates (default: the lab's; for a "
                         "new lab any free one)");
  up_command->add_option(
      "--alpn-port", options.ports.alpn,
      "Port for all protocols, told apart by ALPN (default: the lab's; for a new lab any free one)");
  up_command
      ->add_option(
          "--host", options.host,
          "Listen on all addresses of this machine, not on the loopback interface only, and let this\n"
          "host name lead here: it goes into the certificate and into presigned URLs")
      ->check(CLI::Validator(check_host, "NAME"));
  up_command->add_flag("--throttle", options.throttle, "Apply AWS's rate limits");
  CLI::Option* const web = up_command->add_flag(
      "--web", options.web,
      "Serve a live page on 127.0.0.1: what happens, the devices' flash, and buttons that\n"
      "break things; its address is printed, with a token");
  up_command->add_option("--web-port", options.web_port, "Port of the live page (default: any free one)")
      ->needs(web);
  up_command->add_flag(
      "--keylog", options.keylog,
      "Log the TLS secrets of the lab's ports, so that captures can be read (docs/trace.md)");
  up_command->add_flag("--detach", options.detach, "Return when the lab is ready; otasim down ends it");
  up_command->add_flag("--quiet", options.quiet, "Show no events on stderr");
  up_command->add_flag("--detached", options.is_detached)->group("");  // of the copy in the background
  up_command->callback(
      [&command] { command = [] { return options.detach ? up_in_background(options) : up(options); }; });
}

}  // namespace otasim::cli
