#include "agent/app/device_settings.h"

#include <algorithm>

namespace app {
namespace {

template <std::size_t N>
void copy_text(std::string_view text, std::array<char, N>& out) {
  const std::size_t length = std::min(text.size(), N - 1);
  std::copy_n(text.begin(), length, out.begin());
  out[length] = '\0';
}

}  // namespace

provisioning::Status DeviceSettings::load(provisioning::Identity& identity, std::span<std::uint8_t> blob) {
  const provisioning::Status status = identity.load(blob, settings_);
  if (status != provisioning::Status::kOk) return status;
  copy_text(settings_.thing_name, thing_name_);
  copy_text(settings_.endpoint_host, endpoint_host_);
  return status;
}

}  // namespace app
