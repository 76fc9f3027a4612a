// A lab at work: broker, cloud, HTTPS server and what links them, put together on one io_context.
//
//   auto lab = RunningLab::start(io, std::move(identities), {.socket_folder = ..., .broker_plugin = ...},
//   log);
//   (*lab)->on_exit([](const Error& error) { ... });    // the broker has gone; nothing works any more
//   (*lab)->when_ready([&] { ... });                    // devices may connect from here on
//   (*lab)->restart_broker(500, [](const Result<void>& restarted) { ... });   // and other faults, below
//
// What stands in the lab's folder (cloud.sqlite, objects/) goes on where it was left. All of it, devices
// (lab_device.h) included, belongs to the io_context's thread, which must be the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/base/halt.h"
#include "sim/base/result.h"
#include "sim/broker/broker.h"
#include "sim/broker/port_reservation.h"
#include "sim/broker/second_client.h"
#include "sim/cloud/broker_link.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/cloud_timers.h"
#include "sim/lab/halting_clock.h"
#include "sim/lab/lab.h"
#include "sim/lab/lab_issuer.h"
#include "sim/lab/lab_ports.h"
#include "sim/report/event_log.h"
#include "sim/rest/alpn_port.h"
#include "sim/rest/aws_interface.h"
#include "sim/rest/http_server.h"
#include "sim/rest/object_handler.h"

namespace otasim::lab {

class RunningLab {
 public:
  struct Options {
    std::string socket_folder;  ///< the user's own, its path short (107 bytes for a socket's)
    LabPorts ports = {};        ///< 0: any free one
    std::string broker_plugin = {};
    /// The name under which others than this machine reach the lab; then it listens on all of the machine's
    /// addresses. Empty: on the loopback interface only.
    std::string host = {};
    bool throttle = false;  ///< whether AWS's rate limits apply
    /// The lab's clocks, the broker's too, stand still with it; made by Halt::shared(); outlives the lab.
    const Halt* halt = nullptr;
    /// The file that gets the TLS secrets of all its ports, made if there is none; empty: they are not
    /// logged.
    std::string key_log_path = {};
  };

  /// @param log  must outlive the lab
  /// @returns kEnvironment if a part cannot be started
  [[nodiscard]] static Result<std::unique_ptr<RunningLab>> start(boost::asio::io_context& io, Lab identities,
                                                                 const Options& options,
                                                                 report::EventLog& log);
  RunningLab(const RunningLab&) = delete;
  RunningLab& operator=(const RunningLab&) = delete;

  /// Calls `handler` if the broker ends by itself; also a later one, after a restart.
  void on_exit(std::function<void(const Error& error)> handler);
  /// Calls `ready` when the broker knows every certificate that is registered so far.
  void when_ready(std::function<void()> ready) { broker_link_->when_ready(std::move(ready)); }

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] report::EventLog& log() { return log_; }
  [[nodiscard]] const Lab& identities() const { return identities_; }
  [[nodiscard]] cloud::Cloud& cloud() { return *cloud_; }
  [[nodiscard]] std::uint16_t mqtt_port() const { return mqtt_port_; }
  /// Mosquitto's process; 0 while it is down.
  [[nodiscard]] pid_t broker_pid() const { return broker_ ? broker_->pid() : 0; }
  /// Where the HTTPS server listens; another port at each start.
  [[nodiscard]] std::uint16_t https_port() const { return https_server_->port(); }
  /// The jobs data plane for clients with a certificate.
  [[nodiscard]] std::uint16_t jobs_port() const { return jobs_server_->port(); }
  [[nodiscard]] rest::ObjectHandler& object_handler() { return *object_handler_; }
  /// Where all of it listens.
  [[nodiscard]] LabPorts ports() const {
    return {.mqtt = mqtt_port(), .https = https_port(), .jobs = jobs_port(), .alpn = alpn_port()};
  }
  /// One port for all protocols, told apart by ALPN.
  [[nodiscard]] std::uint16_t alpn_port() const { return alpn_port_->port(); }
  /// Whether TLS secrets are logged: then captures can be read.
  [[nodiscard]] bool logs_keys() const { return !options_.key_log_path.empty(); }
  /// The name in presigned URLs, and in what people are told.
  [[nodiscard]] std::string host() const { return options_.host.empty() ? kEndpointHost : options_.host; }
  /// The names under which the lab's own devices find it.
  [[nodiscard]] std::vector<std::string> host_names() const;
  /// The ports of 127.0.0.1 that devices may reach.
  [[nodiscard]] std::vector<std::uint16_t> device_ports() const {
    return {mqtt_port(), https_port(), jobs_port(), alpn_port()};
  }
  /// Whether a client is connected to the broker under this id.
  [[nodiscard]] bool is_connected(const std::string& client_id) const;

  // Faults. Each that strikes is an event `fault` of the log. Not to be called from one of its listeners, nor
  // from a handler of when_ready(). What is armed stays armed while the broker is away.

  /// Of messages between cloud and devices.
  [[nodiscard]] broker::MessageFaults& message_faults() { return broker_link_->message_faults(); }
  /// Of objects, streams and jobs.
  [[nodiscard]] cloud::CloudFaults& cloud_faults() { return cloud_->faults(); }
  /// `broker.kick`: closes a client's connection, if it has one.
  void kick(const std::string& client_id) { broker_link_->kick(client_id); }
  /// `broker.duplicate_client`: another client comes with a device's id and certificate, and goes after
  /// `hold_ms`. @param done  called at its end; kEnvironment if it was not let in
  void connect_second_client(const std::string& device, std::int64_t hold_ms,
                             std::function<void(const Result<broker::SecondClient::End>& end)> done);

  /// `broker.down`: the broker is gone, and with it every connection and every message under way; on_exit()
  /// is not told. Its port stays the lab's. @returns kUsage if it is down already
  [[nodiscard]] Result<void> take_broker_down();
  /// Starts it again on the same port. When the event `broker` `up` is logged, it knows every certificate.
  /// @returns kUsage if it is up, kEnvironment if it cannot be started
  [[nodiscard]] Result<void> bring_broker_up();
  /// `broker.restart`: both, `down_ms` apart. @param done  called when it is up, or cannot be
  void restart_broker(std::int64_t down_ms, std::function<void(const Result<void>& restarted)> done);

  /// `cloud.clock_jump`: sets the cloud's clock forward, or back with a negative number.
  void jump_clock(std::int64_t by_s);
  [[nodiscard]] HaltingClock& clock() { return clock_; }
  /// Null: nothing ever halts.
  [[nodiscard]] const Halt* halt() const { return options_.halt; }

  /// Gives the endpoint another certificate. The broker shows it after a restart (restart_broker()), the
  /// HTTPS server at the lab's next start. @returns what Lab::reissue_endpoint() returns
  [[nodiscard]] Result<void> reissue_endpoint(const EndpointCertificate& wanted) {
    return identities_.reissue_endpoint(wanted);
  }

 private:
  /// Which client ids are connected, from the log's events. Outlives the lab with the log's listener.
  struct Connections {
    std::unordered_map<std::string, std::uint64_t> alive;  ///< their numbers
    std::uint64_t last = 0;                                ///< the highest number so far
  };

  RunningLab(boost::asio::io_context& io, Lab identities, Options options, report::EventLog& log);
  [[nodiscard]] Result<void> start_key_log() const;
  [[nodiscard]] Result<void> start_broker();
  void stop_broker();
  void watch_broker();
  void log_lost_connections();
  void report_fault(const char* source, const char* name, nlohmann::json more = nlohmann::json::object());
  [[nodiscard]] Result<void> start_cloud();
  [[nodiscard]] Result<void> start_https_servers();
  [[nodiscard]] Result<std::unique_ptr<rest::HttpServer>> start_https_server(
      rest::HttpHandler& handler, std::uint16_t port, const rest::ClientCertificates& clients);
  [[nodiscard]] std::optional<std::string> endpoint(std::string_view type) const;
  [[nodiscard]] Result<void> start_alpn_port();
  [[nodiscard]] std::string address() const { return options_.host.empty() ? "127.0.0.1" : "0.0.0.0"; }

  boost::asio::io_context& io_;
  report::EventLog& log_;
  Lab identities_;
  Options options_;
  std::uint16_t mqtt_port_ = 0;
  std::function<void(const Error&)> on_exit_;
  HaltingClock clock_;
  std::list<HaltTimer> restart_pauses_;  ///< of the broker, each restart's
  std::shared_ptr<Connections> connections_ = std::make_shared<Connections>();
  std::optional<broker::PortReservation> reserved_port_;  ///< while the broker is down
  std::unique_ptr<broker::Broker> broker_;                ///< null: it is down
  int broker_restarts_ = 0;
  std::unique_ptr<cloud::Cloud> cloud_;
  std::unique_ptr<cloud::CloudTimers> timers_;
  std::unique_ptr<rest::ObjectHandler> object_handler_;
  std::unique_ptr<LabIssuer> issuer_;
  std::unique_ptr<rest::AwsInterface> aws_;
  std::unique_ptr<rest::HttpServer> https_server_;
  std::unique_ptr<rest::HttpServer> jobs_server_;
  std::unique_ptr<rest::AlpnPort> alpn_port_;
  std::unique_ptr<cloud::BrokerLink> broker_link_;
  std::map<std::uint64_t, std::unique_ptr<broker::SecondClient>> second_clients_;
  std::uint64_t next_second_client_ = 1;
  /// What is posted finds out by it that the lab is gone.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace otasim::lab
