#include "sim/lab/running_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <filesystem>

#include "sim/base/json_members.h"
#include "sim/crypto/key_log_file.h"

namespace otasim::lab {

namespace {

/// Of the HTTPS servers with clients that a debugger may halt.
constexpr std::chrono::hours kPatienceWithHalts{24};

}  // namespace

Result<std::unique_ptr<RunningLab>> RunningLab::start(boost::asio::io_context& io, Lab identities,
                                                      const Options& options, report::EventLog& log) {
  std::unique_ptr<RunningLab> lab(new RunningLab(io, std::move(identities), options, log));
  if (auto started = lab->start_key_log(); !started) return tl::unexpected(started.error());
  if (auto started = lab->start_broker(); !started) return tl::unexpected(started.error());
  if (auto started = lab->start_cloud(); !started) return tl::unexpected(started.error());
  if (auto started = lab->start_https_servers(); !started) return tl::unexpected(started.error());
  if (auto started = lab->start_alpn_port(); !started) return tl::unexpected(started.error());
  log.emit("lab", "ports",
           {{"mqtt", lab->mqtt_port()},
            {"https", lab->https_port()},
            {"jobs", lab->jobs_port()},
            {"alpn", lab->alpn_port()}});
  return lab;
}

RunningLab::RunningLab(boost::asio::io_context& io, Lab identities, Options options, report::EventLog& log)
    : io_(io),
      log_(log),
      identities_(std::move(identities)),
      options_(std::move(options)),
      mqtt_port_(options_.ports.mqtt),
      clock_(options_.halt) {
  // The broker's events are emitted on the io_context's thread, where they are asked for, too.
  log.listen([connections = connections_](const nlohmann::json& event) {
    if (text_member(event, "source") != "broker") return;
    const auto client = text_member(event, "clientId");
    const auto connection = integer_member(event, "connection");
    if (!client || !connection) return;
    const auto number = static_cast<std::uint64_t>(*connection);
    if (event["event"] == "client_connected") {
      connections->alive[*client] = number;
      connections->last = std::max(connections->last, number);
    } else if (event["event"] == "client_disconnected") {
      // One that was taken over has a successor of another number.
      auto& alive = connections->alive;
      if (const auto found = alive.find(*client); found != alive.end() && found->second == number)
        alive.erase(found);
    }
  });
}

Result<void> RunningLab::start_key_log() const {
  const std::string& path = options_.key_log_path;
  if (path.empty()) return {};
  const int error = crypto::create_key_log(path.c_str());
  if (error == 0) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot make the TLS key log {}: {}.", path, std::strerror(error)));
}

Result<void> RunningLab::start_broker() {
  auto broker =
      broker::Broker::start(io_, {.folder = options_.socket_folder,
                                  .port = mqtt_port_,
                                  .ca_path = identities_.authority().certificate_path,
                                  .certificate_path = identities_.endpoint().certificate_path,
                                  .key_path = identities_.endpoint().key_path,
                                  .plugin_path = options_.broker_plugin,
                                  .first_connection = connections_->last + 1,
                                  .throttle = options_.throttle,
                                  .address = address(),
                                  .halt_path = options_.halt != nullptr ? options_.halt->path() : "",
                                  .key_log_path = options_.key_log_path});
  if (!broker) return tl::unexpected(broker.error());
  broker_ = std::move(*broker);
  mqtt_port_ = broker_->port();
  watch_broker();
  return {};
}

Result<void> RunningLab::start_cloud() {
  const AccessKey& key = identities_.access_key();
  auto cloud = cloud::Cloud::open(identities_.folder(), clock_, log_,
                                  {.signing_key_path = identities_.code_signer().key_path,
                                   .presigner = {.access_key_id = key.id, .secret_access_key = key.secret}});
  if (!cloud) return tl::unexpected(cloud.error());
  cloud_ = std::move(*cloud);
  timers_ = std::make_unique<cloud::CloudTimers>(io_, *cloud_);

  // Mosquitto's end is told by the process itself, with its log; a lost connection alone would hide why.
  auto link =
      cloud::BrokerLink::connect(io_, *cloud_, broker_->socket_path(), options_.halt, [](const Error&) {});
  if (!link) return tl::unexpected(link.error());
  broker_link_ = std::move(*link);
  return {};
}

Result<void> RunningLab::start_https_servers() {
  object_handler_ = std::make_unique<rest::ObjectHandler>(
      rest::ObjectHandlerParts{cloud_->objects(), cloud_->uploads(), cloud_->urls(), clock_, log_});
  cloud_->faults().http.attach(
      [this](cloud::ObjectFaultHandler handler) { object_handler_->set_fault_handler(std::move(handler)); });
  issuer_ = std::make_unique<LabIssuer>(identities_);
  const AccessKey& key = identities_.access_key();
  aws_ = std::make_unique<rest::AwsInterface>(
      rest::AwsInterfaceParts{*cloud_, *issuer_, log_,
                              [this](std::string_view type) { return endpoint(type); }},
      rest::AwsInterfaceOptions{key.id, key.secret, options_.throttle}, *object_handler_);
  auto https = start_https_server(aws_->signed_requests(), options_.ports.https, {});
  if (!https) return tl::unexpected(https.error());
  https_server_ = std::move(*https);
  // By whichever authority: which certificates are good is the registry's business.
  auto jobs = start_https_server(aws_->mutual_tls(), options_.ports.jobs, {.required = true});
  if (!jobs) return tl::unexpected(jobs.error());
  jobs_server_ = std::move(*jobs);
  cloud_->urls().set_endpoint(fmt::format("{}:{}", host(), https_server_->port()));
  return {};
}

Result<std::unique_ptr<rest::HttpServer>> RunningLab::start_https_server(
    rest::HttpHandler& handler, std::uint16_t port, const rest::ClientCertificates& clients) {
  return rest::HttpServer::start(
      io_, handler,
      {.address = address(),
       .port = port,
       .certificate_path = identities_.endpoint().certificate_path,
       .key_path = identities_.endpoint().key_path,
       .clients = clients,
       .idle_timeout = options_.halt != nullptr ? kPatienceWithHalts : rest::HttpServerOptions{}.idle_timeout,
       .halt = options_.halt,
       .key_log_path = options_.key_log_path});
}

/// What DescribeEndpoint answers: host and port.
std::optional<std::string> RunningLab::endpoint(std::string_view type) const {
  const auto at = [this](std::uint16_t port) { return fmt::format("{}:{}", host(), port); };
  if (type == "iot:Data" || type == "iot:Data-ATS" || type == "iot:Data-Beta") return at(mqtt_port_);
  if (type == "iot:Jobs") return at(https_port());
  return std::nullopt;
}

Result<void> RunningLab::start_alpn_port() {
  auto port = rest::AlpnPort::start(
      io_, {.address = address(),
            .port = options_.ports.alpn,
            .protocols = {{rest::kMqttProtocol, mqtt_port_}, {rest::kHttpProtocol, jobs_port()}},
            .otherwise = https_server_->port()});
  if (!port) return tl::unexpected(port.error());
  alpn_port_ = std::move(*port);
  return {};
}

std::vector<std::string> RunningLab::host_names() const {
  if (options_.host.empty()) return {kEndpointHost};
  return {kEndpointHost, options_.host};
}

void RunningLab::on_exit(std::function<void(const Error&)> handler) {
  on_exit_ = std::move(handler);
  watch_broker();
}

void RunningLab::watch_broker() {
  if (broker_ && on_exit_) broker_->on_exit(on_exit_);
}

bool RunningLab::is_connected(const std::string& client_id) const {
  return connections_->alive.contains(client_id);
}

void RunningLab::connect_second_client(const std::string& device, std::int64_t hold_ms,
                                       std::function<void(const Result<broker::SecondClient::End>&)> done) {
  const std::uint64_t number = next_second_client_++;
  const std::string files = identities_.device_folder(device) + "/device";
  second_clients_[number] = broker::SecondClient::start(
      io_,
      {.client_id = device,
       .port = mqtt_port_,
       .ca_path = identities_.authority().certificate_path,
       .certificate_path = files + ".cert.pem",
       .key_path = files + ".key.pem",
       .hold_ms = hold_ms},
      {.on_admitted =
           [this, device, hold_ms] {
             report_fault("broker", "broker.duplicate_client", {{"device", device}, {"hold_ms", hold_ms}});
           },
       .on_end =
           [this, number, done = std::move(done)](const auto& end) {
             second_clients_.erase(number);
             if (done) done(end);
           }});
}

Result<void> RunningLab::take_broker_down() {
  if (!broker_) return fail(ExitCode::kUsage, "the broker is down already.");
  report_fault("broker", "broker.down");
  stop_broker();
  return {};
}

void RunningLab::stop_broker() {
  const std::filesystem::path log_path = broker_->log_path();
  broker_link_->disconnect();
  broker_.reset();
  if (auto port = broker::PortReservation::take(mqtt_port_)) reserved_port_ = std::move(*port);
  // The next one begins its log anew.
  std::error_code ignored;
  std::filesystem::rename(
      log_path, log_path.parent_path() / fmt::format("mosquitto.{}.log", ++broker_restarts_), ignored);
  log_lost_connections();
}

/// The plugin did not live to tell.
void RunningLab::log_lost_connections() {
  const auto lost = connections_->alive;
  for (const auto& [client, number] : lost) {
    log_.emit(
        "broker", "client_disconnected",
        {{"clientId", client}, {"connection", number}, {"disconnectReason", "SERVER_INITIATED_DISCONNECT"}});
  }
}

Result<void> RunningLab::bring_broker_up() {
  if (broker_) return fail(ExitCode::kUsage, "the broker is up already.");
  if (auto started = start_broker(); !started) return started;
  if (auto connected = broker_link_->reconnect(broker_->socket_path()); !connected) {
    broker_.reset();
    return connected;
  }
  reserved_port_.reset();
  broker_link_->when_ready([this] { log_.emit("broker", "up", {{"port", mqtt_port_}}); });
  return {};
}

void RunningLab::restart_broker(std::int64_t down_ms, std::function<void(const Result<void>&)> done) {
  // `done` may do anything with the lab, and so is not called by one of its parts.
  const auto tell = [io = &io_, done = std::move(done)](Result<void> restarted) {
    if (!done) return;
    boost::asio::post(*io, [done, restarted = std::move(restarted)] { done(restarted); });
  };
  if (!broker_) {
    tell(fail(ExitCode::kUsage, "the broker is down; it cannot be restarted."));
    return;
  }
  report_fault("broker", "broker.restart", {{"down_ms", down_ms}});
  stop_broker();
  restart_pauses_.emplace_back(io_, options_.halt).wait(std::chrono::milliseconds(down_ms), [this, tell] {
    if (auto up = bring_broker_up(); !up) {
      tell(std::move(up));
    } else {
      broker_link_->when_ready([tell] { tell({}); });
    }
  });
}

void RunningLab::jump_clock(std::int64_t by_s) {
  report_fault("cloud", "cloud.clock_jump", {{"by_s", by_s}});
  clock_.jump(by_s);
}

void RunningLab::report_fault(const char* source, const char* name, nlohmann::json more) {
  more["fault"] = name;
  log_.emit(source, "fault", std::move(more));
}

}  // namespace otasim::lab
