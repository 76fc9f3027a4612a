// What a run leaves behind in which all went well, to be spoiled by tests: a device with an image from the
// factory in slot A received another one in slot B, which was tried, accepted itself and was committed.
//
// The flash was written by the bootloader's own boot control over the NOR model, whose operations are the op
// log.
#pragma once

#include <map>
#include <string>

#include "sim/scenario/evidence.h"

namespace otasim::scenario::test {

struct SoundRun {
  SoundRun();
  SoundRun(const SoundRun&) = delete;
  SoundRun& operator=(const SoundRun&) = delete;

  [[nodiscard]] DeviceEvidence& device() { return evidence.devices.front(); }
  /// As if the update had never been offered.
  void forget_update();
  /// Bytes change at rest, and whoever did it has said so.
  void damage(std::uint32_t offset, std::uint32_t length);

  crypto::P256Key key = crypto::P256Key::generate().value();
  std::map<std::string, Bytes> images;  ///< "factory" 1.0.0, "update" 1.0.1, "recovery" 0.0.1
  Evidence evidence;
};

inline constexpr const char* kJob = "AFR_OTA-u1";
inline constexpr const char* kDevice = "thing-1";

[[nodiscard]] nlohmann::json boot_event(const char* name, nlohmann::json members);
[[nodiscard]] nlohmann::json execution_event(const std::string& status, const std::string& reason,
                                             const std::string& job = kJob);

}  // namespace otasim::scenario::test
