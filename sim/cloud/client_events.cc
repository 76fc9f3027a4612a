#include "sim/cloud/client_events.h"

#include <nlohmann/json.hpp>

namespace otasim::cloud {

void log_client_event(report::EventLog& log, const broker::ClientEventTopic& event,
                      std::string_view payload) {
  auto fields = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!fields.is_object()) return;
  log.emit("broker", "client_" + std::string{broker::to_string(event.event)}, std::move(fields));
}

}  // namespace otasim::cloud
