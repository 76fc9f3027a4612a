// Topics: what the policy lets a device publish, what the mirror makes of it, and the private topics between
// plugin and mirror.
//
// Input: a thing's name, another's, a topic and a filter, one a line.
#include <mosquitto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/broker/private_topics.h"
#include "sim/broker/topic_rules.h"
#include "sim/cloud/request_topic.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/broker/device_rights.h"

namespace {

using namespace otasim;
using otasim::testing::claim;
using otasim::testing::take_line;

/// The topic that a parsed request was on, as far as what was parsed says.
std::string jobs_topic(const std::string& base, const cloud::JobsTopic& jobs) {
  switch (*jobs.call) {
    case cloud::JobsCall::kGetPending:
      return base + "/jobs/get";
    case cloud::JobsCall::kStartNext:
      return base + "/jobs/start-next";
    case cloud::JobsCall::kDescribe:
      return base + "/jobs/" + jobs.job + "/get";
    case cloud::JobsCall::kUpdate:
      return base + "/jobs/" + jobs.job + "/update";
  }
  return {};
}

std::string streams_topic(const std::string& base, const cloud::StreamsTopic& streams) {
  const std::string call = *streams.call == cloud::StreamsCall::kGet ? "get" : "describe";
  return base + "/streams/" + streams.stream + "/" + call + "/" +
         std::string{cloud::to_string(streams.encoding)};
}

void check_device_topic(std::string_view topic) {
  const auto request = cloud::parse_device_topic(topic);
  if (!request) return;
  const std::string base = "$aws/things/" + request->thing.str();
  claim(broker::is_thing_name(request->thing.str()), "plugin and mirror agree on what a thing's name is");
  if (const auto* jobs = std::get_if<cloud::JobsTopic>(&request->service); jobs && jobs->call) {
    claim(jobs_topic(base, *jobs) == topic, "a jobs request is named by its topic alone");
  }
  if (const auto* streams = std::get_if<cloud::StreamsTopic>(&request->service); streams && streams->call) {
    claim(streams_topic(base, *streams) == topic, "a stream request is named by its topic alone");
  }
}

void check_requests(std::string_view thing, std::string_view other, std::string_view topic) {
  if (!testing::may_request(thing, topic)) return;
  const auto request = cloud::parse_device_topic(topic);
  claim(request.has_value(), "the mirror understands what a device may publish");
  claim(request->thing.str() == thing, "a device asks for its own thing only");
  claim(testing::may_receive(thing, topic), "what a device may ask is below its own services");
  if (broker::is_thing_name(other) && other != thing) {
    claim(!testing::may_request(other, topic), "no other thing may publish it");
    claim(!testing::may_receive(other, topic), "no other thing may receive it");
  }
}

void check_answers(std::string_view thing, std::string_view topic) {
  const std::string jobs = "$aws/things/" + std::string{thing} + "/jobs/";
  for (const char* answer : {"/accepted", "/rejected"}) {
    claim(!testing::may_request(thing, jobs + std::string{topic} + answer),
          "no device may publish an answer");
  }
}

void check_subscription(std::string_view thing, std::string_view other, const std::string& filter,
                        const std::string& topic) {
  if (!testing::may_subscribe(thing, filter)) return;
  if ((filter + topic).find('\0') != std::string::npos) return;               // MQTT has no such topics
  if (mosquitto_sub_topic_check(filter.c_str()) != MOSQ_ERR_SUCCESS) return;  // no broker takes it
  if (mosquitto_pub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS || topic.size() > broker::kMaxTopic)
    return;
  bool matches = false;
  if (mosquitto_topic_matches_sub(filter.c_str(), topic.c_str(), &matches) != MOSQ_ERR_SUCCESS || !matches) {
    return;
  }
  // `jobs/#` matches `jobs` too, where nothing is ever published.
  const bool parent = filter == topic + "/#";
  claim(parent || testing::may_receive(thing, topic),
        "a subscription reaches nothing that may not be received");
  if (broker::is_thing_name(other) && other != thing) {
    claim(!testing::may_receive(other, topic), "and nothing of another thing");
  }
}

void check_private_topics(std::string_view thing, std::string_view topic) {
  if (!topic.empty()) {
    const broker::ClientAddress client{std::string{thing}, topic.size()};
    const auto request = broker::parse_request_topic(broker::request_topic(client, topic));
    claim(request && request->client == client && request->topic == topic,
          "a request keeps client and topic");
    const auto delivery = broker::parse_deliver_topic(broker::deliver_topic(client, topic));
    claim(delivery && delivery->client == client && delivery->topic == topic, "and so does an answer");
  }
  using broker::ClientEvent;
  for (const ClientEvent event : {ClientEvent::kConnected, ClientEvent::kDisconnected, ClientEvent::kRefused,
                                  ClientEvent::kDenied, ClientEvent::kKicked}) {
    const auto parsed = broker::parse_client_event_topic(broker::client_event_topic(event, thing));
    claim(parsed && parsed->event == event && parsed->client_id == thing, "an event keeps its client");
  }
}

/// A private topic that is understood is the one that would have been written.
void check_written_form(std::string_view topic) {
  const auto request = broker::parse_request_topic(topic);
  claim(!request || broker::request_topic(request->client, request->topic) == topic,
        "one way to write a request");
  const auto delivery = broker::parse_deliver_topic(topic);
  claim(!delivery || broker::deliver_topic(delivery->client, delivery->topic) == topic,
        "one way for an answer");
  const auto principal = broker::parse_principal_topic(topic);
  claim(!principal || broker::principal_topic(*principal) == topic, "one way for a principal");
  const auto event = broker::parse_client_event_topic(topic);
  claim(!event || broker::client_event_topic(event->event, event->client_id) == topic,
        "one way for an event");
  claim(!(request || delivery || principal || event) || topic.starts_with(broker::kPrivatePrefix),
        "a private topic is below otasim/");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view thing = take_line(rest);
  const std::string_view other = take_line(rest);
  const std::string topic{take_line(rest)};
  const std::string filter{take_line(rest)};
  check_device_topic(topic);
  check_written_form(topic);
  if (!broker::is_thing_name(thing)) return 0;  // nobody connects under such a name
  claim(!testing::may_request(thing, topic) || !topic.starts_with(broker::kPrivatePrefix),
        "otasim/ is private");
  check_requests(thing, other, topic);
  check_answers(thing, topic);
  check_subscription(thing, other, filter, topic);
  check_private_topics(thing, topic);
  return 0;
}
