// A lab at work: broker, cloud, object server and what links them, put together on one io_context.
//
//   auto lab = RunningLab::start(io, std::move(identities), {.socket_folder = ..., .broker_plugin = ...},
//   log);
//   (*lab)->on_exit([](const Error& error) { ... });    // the broker has gone; nothing works any more
//   (*lab)->when_ready([&] { ... });                    // devices may connect from here on
//
// What stands in the lab's folder (cloud.sqlite, objects/) goes on where it was left. All of it, devices
// (lab_device.h) included, belongs to the io_context's thread, which must be the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/base/result.h"
#include "sim/broker/broker.h"
#include "sim/cloud/broker_link.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/cloud_timers.h"
#include "sim/cloud/object_server.h"
#include "sim/lab/lab.h"
#include "sim/report/event_log.h"

namespace otasim::lab {

class RunningLab {
 public:
  struct Options {
    std::string socket_folder;    ///< the user's own, its path short (107 bytes for a socket's)
    std::uint16_t mqtt_port = 0;  ///< 0: any free one
    std::string broker_plugin;
  };

  /// @param log  must outlive the lab
  /// @returns kEnvironment if a part cannot be started
  [[nodiscard]] static Result<std::unique_ptr<RunningLab>> start(boost::asio::io_context& io, Lab identities,
                                                                 const Options& options,
                                                                 report::EventLog& log);
  RunningLab(const RunningLab&) = delete;
  RunningLab& operator=(const RunningLab&) = delete;

  void on_exit(std::function<void(const Error& error)> handler);
  /// Calls `ready` when the broker knows every certificate that is registered so far.
  void when_ready(std::function<void()> ready) { broker_link_->when_ready(std::move(ready)); }

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] report::EventLog& log() { return log_; }
  [[nodiscard]] const Lab& identities() const { return identities_; }
  [[nodiscard]] cloud::Cloud& cloud() { return *cloud_; }
  [[nodiscard]] std::uint16_t mqtt_port() const { return broker_->port(); }
  /// Where the object server listens, HTTPS; another port at each start.
  [[nodiscard]] std::uint16_t object_port() const { return object_server_->port(); }
  [[nodiscard]] cloud::ObjectServer& object_server() { return *object_server_; }
  /// The ports of 127.0.0.1 that devices may reach.
  [[nodiscard]] std::vector<std::uint16_t> device_ports() const { return {mqtt_port(), object_port()}; }
  /// Whether a client is connected to the broker under this id.
  [[nodiscard]] bool is_connected(const std::string& client_id) const;

 private:
  /// Which client ids are connected, from the log's events. Outlives the lab with the log's listener.
  using Connections = std::unordered_map<std::string, std::uint64_t>;

  RunningLab(boost::asio::io_context& io, Lab identities, report::EventLog& log);
  [[nodiscard]] Result<void> start_broker(const Options& options);
  [[nodiscard]] Result<void> start_cloud();
  [[nodiscard]] Result<void> start_object_server();

  boost::asio::io_context& io_;
  report::EventLog& log_;
  Lab identities_;
  cloud::LabClock clock_;
  std::shared_ptr<Connections> connections_ = std::make_shared<Connections>();
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<cloud::Cloud> cloud_;
  std::unique_ptr<cloud::CloudTimers> timers_;
  std::unique_ptr<cloud::ObjectServer> object_server_;
  std::unique_ptr<cloud::BrokerLink> broker_link_;
};

}  // namespace otasim::lab
