#include "sim/cloud/mqtt_front_end.h"

#include "sim/cloud/told_payload.h"

namespace otasim::cloud {
void MqttFrontEnd::handle_request(const ClientAddress& client, const std::string& topic,
                                  std::string_view payload) {
  const auto request = parse_device_topic(topic);
  if (!request) {
    log_.emit("cloud", "mqtt_request",
              {{"client", client.client_id}, {"topic", topic}, {"result", "ignored"}});
    return;
  }
  if (const auto* stream = std::get_if<StreamsTopic>(&request->service)) {
    log_stream(client, *stream, streams_.handle(client, request->thing, *stream, payload), payload);
    return;
  }
  const auto& jobs = std::get<JobsTopic>(request->service);
  const std::string_view result = jobs_.handle(client, topic, request->thing, jobs, payload);
  nlohmann::json event{{"client", client.client_id}, {"topic", topic}, {"result", result}};
  tell_payload(event, payload);
  log_.emit("cloud", "mqtt_request", std::move(event));
}

void MqttFrontEnd::log_stream(const ClientAddress& client, const StreamsTopic& request,
                              const StreamOutcome& outcome, std::string_view payload) {
  nlohmann::json event{{"client", client.client_id},
                       {"stream", request.stream},
                       {"encoding", to_string(request.encoding)},
                       {"result", outcome.result},
                       {"first_block", outcome.first_block},
                       {"blocks", outcome.blocks},
                       {"bytes", outcome.bytes}};
  tell_payload(event, payload);
  log_.emit("cloud", "stream_request", std::move(event));
}

}  // namespace otasim::cloud
