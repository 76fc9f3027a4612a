// Settings of an image that was built with its own, wrong ones for the network: who the device is comes from
// provisioning as always, but the endpoint has a name that no DNS server knows. Stands in the place of
// device_settings.cc.
#include <algorithm>
#include <string_view>

#include "agent/app/device_settings.h"

namespace app {
namespace {

/// RFC 6761: names below "invalid" never resolve.
constexpr std::string_view kNobody = "wrong-endpoint.invalid";

}  // namespace

provisioning::Status DeviceSettings::load(provisioning::Identity& identity, std::span<std::uint8_t> blob) {
  const provisioning::Status status = identity.load(blob, settings_);
  if (status != provisioning::Status::kOk) return status;
  std::ranges::copy(settings_.thing_name, thing_name_.begin());  // parsed: at most kMaxThingName
  std::ranges::copy(kNobody, endpoint_host_.begin());
  return status;
}

}  // namespace app
