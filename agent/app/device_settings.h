// This device's identity and settings: the provisioned ones, copied to RAM once, with the names the C
// interfaces need as NUL-terminated strings.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "pal_sim/provisioning/identity.h"

namespace app {

class DeviceSettings {
 public:
  /// Reads them into `blob` (at least provisioning::kMaxBlobSize bytes), which must outlive this object. Call
  /// once, before anything else here and after crypto_memory::init().
  /// @returns what provisioning::Identity::load() returns
  [[nodiscard]] provisioning::Status load(provisioning::Identity& identity, std::span<std::uint8_t> blob);

  [[nodiscard]] const provisioning::Settings& provisioned() const { return settings_; }
  [[nodiscard]] const char* thing_name() const { return thing_name_.data(); }
  [[nodiscard]] const char* endpoint_host() const { return endpoint_host_.data(); }

 private:
  provisioning::Settings settings_{};
  std::array<char, provisioning::kMaxThingName + 1> thing_name_{};
  std::array<char, provisioning::kMaxHostName + 1> endpoint_host_{};
};

}  // namespace app
