#include "sim/cloud/client_events.h"
#include "sim/base/json.h"

namespace otasim::cloud {

nlohmann::json log_client_event(report::EventLog& log, const broker::ClientEventTopic& event,
                                std::string_view payload) {
  auto fields = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!fields.is_object()) return nullptr;
  const std::string name = event.event == broker::ClientEvent::kKicked
                               ? "fault"
                               : "client_" + std::string{broker::to_string(event.event)};
  log.emit("broker", name, fields);
  return fields;
}

}  // namespace otasim::cloud
