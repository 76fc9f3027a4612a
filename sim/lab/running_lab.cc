#include "sim/lab/running_lab.h"

#include <fmt/format.h>

#include "sim/base/json_members.h"

namespace otasim::lab {

Result<std::unique_ptr<RunningLab>> RunningLab::start(boost::asio::io_context& io, Lab identities,
                                                      const Options& options, report::EventLog& log) {
  std::unique_ptr<RunningLab> lab(new RunningLab(io, std::move(identities), log));
  if (auto started = lab->start_broker(options); !started) return tl::unexpected(started.error());
  if (auto started = lab->start_cloud(); !started) return tl::unexpected(started.error());
  if (auto started = lab->start_object_server(); !started) return tl::unexpected(started.error());
  return lab;
}

RunningLab::RunningLab(boost::asio::io_context& io, Lab identities, report::EventLog& log)
    : io_(io), log_(log), identities_(std::move(identities)) {
  // The broker's events are emitted on the io_context's thread, where they are asked for, too.
  log.listen([connections = connections_](const nlohmann::json& event) {
    if (text_member(event, "source") != "broker") return;
    const auto client = text_member(event, "clientId");
    const auto connection = integer_member(event, "connection");
    if (!client || !connection) return;
    const auto number = static_cast<std::uint64_t>(*connection);
    if (event["event"] == "client_connected") {
      (*connections)[*client] = number;
    } else if (event["event"] == "client_disconnected") {
      // One that was taken over has a successor of another number.
      if (const auto found = connections->find(*client);
          found != connections->end() && found->second == number)
        connections->erase(found);
    }
  });
}

Result<void> RunningLab::start_broker(const Options& options) {
  auto broker = broker::Broker::start(io_, {.folder = options.socket_folder,
                                            .port = options.mqtt_port,
                                            .ca_path = identities_.authority().certificate_path,
                                            .certificate_path = identities_.endpoint().certificate_path,
                                            .key_path = identities_.endpoint().key_path,
                                            .plugin_path = options.broker_plugin});
  if (!broker) return tl::unexpected(broker.error());
  broker_ = std::move(*broker);
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
  auto link = cloud::BrokerLink::connect(io_, *cloud_, broker_->socket_path(), [](const Error&) {});
  if (!link) return tl::unexpected(link.error());
  broker_link_ = std::move(*link);
  return {};
}

Result<void> RunningLab::start_object_server() {
  auto server = cloud::ObjectServer::start(io_, cloud_->objects(), cloud_->urls(), clock_, log_,
                                           {.certificate_path = identities_.endpoint().certificate_path,
                                            .key_path = identities_.endpoint().key_path});
  if (!server) return tl::unexpected(server.error());
  object_server_ = std::move(*server);
  cloud_->urls().set_endpoint(fmt::format("{}:{}", kEndpointHost, object_server_->port()));
  return {};
}

void RunningLab::on_exit(std::function<void(const Error&)> handler) {
  broker_->on_exit(std::move(handler));
}

bool RunningLab::is_connected(const std::string& client_id) const {
  return connections_->contains(client_id);
}

}  // namespace otasim::lab
