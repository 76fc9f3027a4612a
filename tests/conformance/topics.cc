#include "tests/conformance/topics.h"

#include <array>

namespace otasim::testing {

namespace {

constexpr std::string_view kRequest = "request of a device";
constexpr std::string_view kAnswer = "answer, to the connection that asked";
constexpr std::string_view kNotice = "notification to a device";
constexpr std::string_view kEvent = "event, to whoever may subscribe";
constexpr std::string_view kAddress =
    "ipAddress is the one the broker sees: 127.0.0.1 by the port for all protocols.";
constexpr std::string_view kVersionFromStart = "versionNumber counts from the lab's start.";

constexpr std::array kTopics{
    Topic{"$aws/things/{thing}/jobs/get", kRequest, ""},
    Topic{"$aws/things/{thing}/jobs/get/accepted", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/get/rejected", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/start-next", kRequest, ""},
    Topic{"$aws/things/{thing}/jobs/start-next/accepted", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/start-next/rejected", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/$next/get", kRequest, ""},
    Topic{"$aws/things/{thing}/jobs/$next/get/accepted", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/$next/get/rejected", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/{job}/get", kRequest, ""},
    Topic{"$aws/things/{thing}/jobs/{job}/get/accepted", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/{job}/get/rejected", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/{job}/update", kRequest, ""},
    Topic{"$aws/things/{thing}/jobs/{job}/update/accepted", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/{job}/update/rejected", kAnswer, ""},
    Topic{"$aws/things/{thing}/jobs/notify", kNotice, ""},
    Topic{"$aws/things/{thing}/jobs/notify-next", kNotice, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/describe/cbor", kRequest, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/description/cbor", kAnswer, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/get/cbor", kRequest, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/data/cbor", kAnswer, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/rejected/cbor", kAnswer, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/describe/json", kRequest, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/description/json", kAnswer, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/get/json", kRequest, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/data/json", kAnswer, ""},
    Topic{"$aws/things/{thing}/streams/{stream}/rejected/json", kAnswer, ""},
    Topic{"$aws/events/presence/connected/{client}", kEvent, kAddress},
    Topic{"$aws/events/presence/disconnected/{client}", kEvent, kVersionFromStart},
    Topic{"$aws/events/job/{job}/completed", kEvent, ""},
    Topic{"$aws/events/job/{job}/canceled", kEvent, ""},
    Topic{"$aws/events/job/{job}/cancellation_in_progress", kEvent, ""},
    Topic{"$aws/events/job/{job}/deletion_in_progress", kEvent, ""},
    Topic{"$aws/events/job/{job}/deleted", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/succeeded", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/failed", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/rejected", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/canceled", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/timed_out", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/removed", kEvent, ""},
    Topic{"$aws/events/jobExecution/{job}/deleted", kEvent, ""},
};

}  // namespace

std::span<const Topic> mqtt_topics() {
  return kTopics;
}

}  // namespace otasim::testing
