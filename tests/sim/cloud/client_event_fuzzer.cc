// Client events on their way from the plugin into the event log: one line each, whatever the plugin says.
//
// Input: a private topic on a line, then the payload.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/client_events.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using namespace otasim;
using otasim::testing::claim;
using Json = nlohmann::json;

/// The members that the log itself gives every event.
constexpr const char* kOwn[] = {"t_us", "n", "source", "event"};

Json without_own(Json event) {
  for (const char* key : kOwn) event.erase(key);
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view payload(reinterpret_cast<const char*>(data), size);
  const auto event = broker::parse_client_event_topic(otasim::testing::take_line(payload));
  if (!event) return 0;

  const auto log = report::EventLog::in_memory();
  std::optional<Json> logged;
  log->listen([&logged](const Json& line) {
    claim(!logged, "an event is logged once");
    logged = line;
  });
  cloud::log_client_event(*log, *event, payload);

  const Json said = Json::parse(payload, nullptr, /*allow_exceptions=*/false);
  claim(logged.has_value() == said.is_object(), "an object is logged, and nothing else");
  if (!logged) return 0;
  claim((*logged)["source"] == "broker", "no payload can pretend to be of another part");
  const std::string name = event->event == broker::ClientEvent::kKicked
                               ? "fault"
                               : "client_" + std::string{broker::to_string(event->event)};
  claim((*logged)["event"] == name, "nor another event");
  claim((*logged)["n"] == 1, "nor disturb the count");
  claim(without_own(*logged) == without_own(said), "the rest is what the plugin said");
  return 0;
}
