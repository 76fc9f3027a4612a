#include "sim/scenario/evidence.h"

#include <algorithm>

#include "sim/base/json_members.h"

namespace otasim::scenario {

using nlohmann::json;

const DeviceEvidence& Evidence::device(const std::string& name) const {
  return *std::ranges::find(devices, name, &DeviceEvidence::name);
}

json Evidence::executions() const {
  std::vector<json> last;
  for (const json& event : events) {
    if (text_of(event, "source") != "cloud" || text_of(event, "event") != "job_execution") continue;
    json execution{{"job", event.at("job")},
                   {"device", event.at("thing")},
                   {"status", event.at("status")},
                   {"reason", text_of(object_of(event, "details"), "reason")}};
    const auto same = std::ranges::find_if(last, [&](const json& known) {
      return known.at("job") == execution.at("job") && known.at("device") == execution.at("device");
    });
    if (same != last.end()) last.erase(same);
    last.push_back(std::move(execution));
  }
  return json(last);
}

std::optional<ApprovedImage> starts_next(std::span<const std::uint8_t> window, const crypto::P256Key& key) {
  if (auto approved = approved_image(window, key)) return *approved;
  if (auto recovery = fail_safe_image(window, key)) return *recovery;
  return std::nullopt;
}

}  // namespace otasim::scenario
