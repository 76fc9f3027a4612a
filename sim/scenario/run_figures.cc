#include "sim/scenario/run_figures.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/base/json_members.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 6> kTerminal{"SUCCEEDED", "FAILED",    "REJECTED",
                                                    "CANCELED",  "TIMED_OUT", "REMOVED"};

bool is(const json& event, const char* source, const char* name) {
  return text_of(event, "source") == source && text_of(event, "event") == name;
}

std::int64_t ms_of(const json& event) {
  const auto found = event.find("t_us");
  return found != event.end() && found->is_number_integer() ? found->get<std::int64_t>() / 1000 : 0;
}

std::optional<std::int64_t> powered_on_at(std::span<const json> events, const std::string& device) {
  for (const json& event : events) {
    if (is(event, "device", "power_on") && text_of(event, "device") == device) return ms_of(event);
  }
  return std::nullopt;
}

/// What the demo application says; another one's transfer begins with the first byte that is served.
bool says_received(const json& event, const std::string& device, const std::string& job) {
  return is(event, "uart", "line") && text_of(event, "device") == device &&
         text_of(event, "text").starts_with("app: job " + job + " received, ");
}

/// A request for an object does not say whose it is: with several devices theirs are not told apart.
bool is_served(const json& event, const std::string& device) {
  if (is(event, "cloud", "object_request")) return true;
  return is(event, "cloud", "stream_request") && text_of(event, "client") == device;
}

}  // namespace

bool is_terminal(const std::string& status) {
  return std::ranges::find(kTerminal, status) != kTerminal.end();
}

std::optional<std::int64_t> boot_to_connected_ms(std::span<const json> events, const std::string& device) {
  const auto begin = powered_on_at(events, device);
  if (!begin) return std::nullopt;
  for (const json& event : events) {
    if (is(event, "broker", "client_connected") && text_of(event, "clientId") == device)
      return ms_of(event) - *begin;
  }
  return std::nullopt;
}

JobTimes job_times(std::span<const json> events, const std::string& device, const std::string& job) {
  JobTimes times;
  const auto power_on = powered_on_at(events, device);
  std::optional<std::int64_t> begun;
  bool is_offered = false;
  for (const json& event : events) {
    if (!begun && is_offered && (says_received(event, device, job) || is_served(event, device))) {
      begun = ms_of(event);
    }
    if (!is(event, "cloud", "job_execution") || text_of(event, "thing") != device ||
        text_of(event, "job") != job)
      continue;
    is_offered = true;
    const std::string self_test = text_of(object_of(event, "details"), "self_test");
    if (self_test == "ready" && begun && !times.transfer_ms) times.transfer_ms = ms_of(event) - *begun;
    if (power_on && is_terminal(text_of(event, "status"))) times.ended_ms = ms_of(event) - *power_on;
  }
  return times;
}

std::string running_version(std::span<const json> events, const std::string& device) {
  std::string version = "nothing";
  for (const json& event : events) {
    if (is(event, "boot", "start") && text_of(event, "device") == device) version = text_of(event, "version");
  }
  return version;
}

std::string went_off(std::span<const json> events, const std::string& device) {
  std::string why;
  for (const json& event : events) {
    if (is(event, "device", "exit") && text_of(event, "device") == device) why = text_of(event, "message");
  }
  return why;
}

}  // namespace otasim::scenario
