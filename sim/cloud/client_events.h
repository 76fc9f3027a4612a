// What the plugin tells of who comes and goes, for the event log.
#pragma once

#include <string_view>

#include "sim/base/json.h"
#include "sim/broker/private_topics.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

/// Logs `client_<event>`, or `fault` for a client that was kicked, with the payload's members; a payload that
/// is no JSON object is ignored.
/// @returns the event's body; null for a payload that is no JSON object
nlohmann::json log_client_event(report::EventLog& log, const broker::ClientEventTopic& event,
                                std::string_view payload);

}  // namespace otasim::cloud
