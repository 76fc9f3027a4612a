#include "sim/report/capture/decode_options.h"

#include <fmt/format.h>

#include <fstream>
#include <limits>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"

namespace otasim::report::capture {

using nlohmann::json;

std::set<std::uint16_t> mqtt_ports(const std::string& folder) {
  constexpr std::string_view kNeedle = "\"ports\"";  // other lines are not parsed
  std::set<std::uint16_t> ports;
  std::ifstream log(folder + "/events.jsonl", std::ios::binary);
  for (std::string line; std::getline(log, line);) {
    if (line.find(kNeedle) == std::string::npos) continue;
    const json event = parse_shallow_json(line);
    if (!event.is_object() || text_member(event, "source") != "lab" || text_member(event, "event") != "ports")
      continue;
    const auto port = integer_member(event, "mqtt").value_or(0);
    if (port > 0 && port <= std::numeric_limits<std::uint16_t>::max())
      ports.insert(static_cast<std::uint16_t>(port));
  }
  return ports;
}

std::string decode_options(const std::string& folder) {
  std::string options;
  for (const std::uint16_t port : mqtt_ports(folder))
    options += fmt::format("{}-d tls.port=={},mqtt", options.empty() ? "" : " ", port);
  return options;
}

}  // namespace otasim::report::capture
