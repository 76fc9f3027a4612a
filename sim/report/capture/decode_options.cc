#include "sim/report/capture/decode_options.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace otasim::report::capture {
namespace {

using nlohmann::json;

constexpr std::string_view kNeedle = "\"ports\"";  // other lines are not parsed

struct Port {
  const char* member;
  const char* protocol;
};
/// The port for all protocols is left out: there the first message tells which one it is.
constexpr std::array<Port, 3> kPorts{{{"mqtt", "mqtt"}, {"https", "http"}, {"jobs", "http"}}};

void take(const json& event, std::map<std::uint16_t, std::string>& ports) {
  if (event.value("source", "") != "lab" || event.value("event", "") != "ports") return;
  for (const Port& port : kPorts) {
    const auto number = event.find(port.member);
    if (number == event.end() || !number->is_number_unsigned()) continue;
    const auto value = number->get<std::uint64_t>();
    if (value != 0 && value <= std::numeric_limits<std::uint16_t>::max())
      ports[static_cast<std::uint16_t>(value)] = port.protocol;
  }
}

}  // namespace

std::map<std::uint16_t, std::string> tls_ports(const std::string& folder) {
  std::map<std::uint16_t, std::string> ports;
  std::ifstream log(folder + "/events.jsonl", std::ios::binary);
  for (std::string line; std::getline(log, line);) {
    if (line.find(kNeedle) == std::string::npos) continue;
    const json event = json::parse(line, nullptr, false);
    if (event.is_object() && event.contains("source") && event["source"].is_string() &&
        event.contains("event") && event["event"].is_string())
      take(event, ports);
  }
  return ports;
}

std::string decode_options(const std::string& folder) {
  std::string options;
  for (const auto& [port, protocol] : tls_ports(folder)) {
    options += fmt::format("{}-d tls.port=={},{}", options.empty() ? "" : " ", port, protocol);
  }
  return options;
}

}  // namespace otasim::report::capture
