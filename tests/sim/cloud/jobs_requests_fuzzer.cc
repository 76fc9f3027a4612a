// Jobs over MQTT: whatever two devices ask for, in whatever order, each hears an answer of AWS's shape, and
// nothing that is the other's.
//
// Input: requests of two lines each: `lamp` or `door` and what follows `jobs/` in the topic; the payload.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/broker/topic_rules.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/broker/device_rights.h"
#include "tests/sim/cloud/fuzzed_cloud.h"

namespace {

using namespace otasim;
using namespace otasim::cloud;
using otasim::testing::claim;
using otasim::testing::take_line;
using Json = nlohmann::json;

constexpr int kMostRequests = 16;
/// All that AWS documents, but for the service's own faults, which no input may bring about.
constexpr std::array kErrors{"InvalidTopic",           "InvalidJson",      "InvalidRequest",
                             "InvalidStateTransition", "ResourceNotFound", "VersionMismatch",
                             "TerminalStateReached"};
constexpr std::array kStatuses{"QUEUED",    "IN_PROGRESS", "SUCCEEDED", "FAILED",
                               "TIMED_OUT", "REJECTED",    "REMOVED",   "CANCELED"};

bool one_of(const auto& known, const Json& value) {
  return std::ranges::any_of(known, [&value](const char* name) { return value == name; });
}

bool is_number(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_number_integer();
}

struct Request {
  std::string thing;
  std::string topic;
  std::string_view payload;

  [[nodiscard]] const char* other() const { return thing == "lamp" ? "door" : "lamp"; }
  [[nodiscard]] std::string base() const { return "$aws/things/" + thing + "/jobs/"; }
};

void check_execution(const Request& request, const Json& execution) {
  claim(execution.is_object(), "an execution is an object");
  claim(execution["thingName"] == request.thing, "an execution is the asking thing's");
  claim(execution["jobId"].is_string() && one_of(kStatuses, execution["status"]),
        "it has a job and a status");
  for (const char* key : {"queuedAt", "lastUpdatedAt", "versionNumber", "executionNumber"}) {
    claim(is_number(execution, key), "it has its times and numbers");
  }
  claim(!execution.contains("statusDetails") || !execution["statusDetails"].empty(),
        "empty details are left out");
  claim(!execution.contains("jobDocument") || execution["jobDocument"].is_object(),
        "the document is an object");
}

void check_summaries(const Json& list) {
  claim(list.is_array(), "summaries are a list");
  for (const Json& summary : list) {
    claim(summary["jobId"].is_string() && is_number(summary, "versionNumber"),
          "a summary names job and version");
  }
}

void check_state(const Json& state) {
  claim(one_of(kStatuses, state["status"]) && is_number(state, "versionNumber"),
        "a state has status and version");
}

void check_accepted(const Request& request, const Json& reply) {
  if (request.topic == request.base() + "get") {
    check_summaries(reply["inProgressJobs"]);
    check_summaries(reply["queuedJobs"]);
  }
  if (reply.contains("execution")) check_execution(request, reply["execution"]);
  if (reply.contains("executionState")) check_state(reply["executionState"]);
  claim(!reply.contains("code"), "what is accepted has no error");
}

void check_rejected(const Json& reply) {
  claim(one_of(kErrors, reply["code"]), "an error has a name of AWS's");
  claim(reply["message"].is_string() && !reply["message"].empty(), "and says why");
  const bool stateful = reply["code"] == "InvalidStateTransition" || reply["code"] == "VersionMismatch";
  claim(reply.contains("executionState") == stateful,
        "the state comes with the errors about it, and only then");
  if (stateful) check_state(reply["executionState"]);
}

void check_token(const Request& request, const Json& reply, bool accepted) {
  const Json body = Json::parse(request.payload, nullptr, /*allow_exceptions=*/false);
  const Json token = body.is_object() ? body.value("clientToken", Json()) : Json();
  claim(!reply.contains("clientToken") || reply["clientToken"] == token, "a token is the request's");
  claim(!accepted || token.is_null() || reply.contains("clientToken"),
        "and comes back with what is accepted");
}

void check_reply(const Request& request, const Sent& sent, const Json& json) {
  const bool accepted = sent.topic == request.topic + "/accepted";
  claim(accepted || sent.topic == request.topic + "/rejected", "an answer is on the request's own topics");
  check_token(request, json, accepted);
  accepted ? check_accepted(request, json) : check_rejected(json);
}

void check_notification(const Request& request, const Sent& sent, const Json& json) {
  if (sent.topic == request.base() + "notify") {
    claim(json["jobs"].is_object(), "notify lists jobs");
    for (const auto& [status, list] : json["jobs"].items()) {
      claim(status == "IN_PROGRESS" || status == "QUEUED", "of those that are open");
      check_summaries(list);
    }
    return;
  }
  claim(sent.topic == request.base() + "notify-next", "a request notifies its own thing only");
  if (json.contains("execution")) check_execution(request, json["execution"]);
}

void check_sent(const Request& request, const ClientAddress& client, const std::vector<Sent>& all,
                bool secret) {
  int replies = 0;
  for (const Sent& sent : all) {
    claim(sent.payload.size() <= kMaxMessage, "a message has at most 128 KB");
    claim(!secret || sent.payload.find(FuzzedCloud::kOfDoor) == std::string::npos,
          "the door's is not the lamp's");
    const Json json = Json::parse(sent.payload, nullptr, /*allow_exceptions=*/false);
    claim(json.is_object() && json["timestamp"] == FuzzedCloud::kNow, "every message is JSON and says when");
    if (sent.client == client) {
      ++replies;
      check_reply(request, sent, json);
    } else {
      claim(sent.client == ClientAddress{}, "no other client is addressed");
      check_notification(request, sent, json);
    }
  }
  claim(replies == 1, "a request gets one answer");
}

/// All that a thing has to do and did, in text.
std::string state_of(Cloud& cloud, const char* thing) {
  std::string text;
  for (const char* job : FuzzedCloud::kJobs) {
    const auto execution = cloud.jobs().execution(JobId::trusted(job), ThingName::trusted(thing));
    if (!execution) continue;
    text += Json{job, to_string(execution->state.status), execution->state.details,
                 execution->state.version_number}
                .dump();
  }
  return text;
}

void handle(FuzzedCloud& cloud, const Request& request, bool input_has_secret) {
  if (!testing::may_request(request.thing, request.topic)) return;  // the broker does not pass it on
  const ClientAddress client{request.thing, 7};
  const std::string others = state_of(cloud.cloud(), request.other());
  const auto sent = cloud.request(client, request.topic, request.payload);
  check_sent(request, client, sent, request.thing == "lamp" && !input_has_secret);
  claim(state_of(cloud.cloud(), request.other()) == others, "a request changes nothing of the other thing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzedCloud cloud;
  cloud.reset();
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const bool secret = rest.find(FuzzedCloud::kOfDoor) != std::string_view::npos;
  for (int i = 0; i < kMostRequests && !rest.empty(); ++i) {
    std::string_view line = take_line(rest);
    Request request{line.starts_with("door ") ? "door" : "lamp", {}, take_line(rest)};
    line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    request.topic = request.base() + std::string{line};
    handle(cloud, request, secret);
  }
  return 0;
}
