// What a run left behind, to be judged: its events, and each device's flash and boots.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pal_sim/flash/op_log.h"
#include "sim/base/json.h"
#include "sim/crypto/key.h"
#include "sim/scenario/images.h"
#include "sim/scenario/oracle.h"

namespace otasim::scenario {

/// What a device's bootloader said when it was booted on its own.
struct CleanBoot {
  /// As `state`: no image was started, and no reason given.
  static constexpr const char* kSilent = "silent";

  std::string slot;  ///< "A", "B", "recovery"; empty: it halted, or said nothing
  std::string version;
  std::string state;

  bool operator==(const CleanBoot&) const = default;
};

struct DeviceEvidence {
  std::string name;
  Bytes factory_flash = {};  ///< as it left the factory
  Bytes flash_at_end = {};   ///< when the steps were done
  Bytes flash = {};          ///< after the clean boots
  std::vector<CleanBoot> boots = {};
  std::optional<flash::OpLog> op_log = {};
  /// Offset and length of what faults have left marginal.
  std::vector<std::pair<std::size_t, std::size_t>> marginal = {};
  bool flash_was_damaged = false;  ///< a fault changed it at rest
};

struct Evidence {
  std::vector<nlohmann::json> events;
  std::size_t step_event_count = SIZE_MAX;  ///< those until the steps were done; clean boots follow
  std::vector<DeviceEvidence> devices;
  std::map<std::string, std::string> updates;  ///< job id to image name
  const std::map<std::string, Bytes>* images = nullptr;
  const crypto::P256Key* boot_key = nullptr;

  /// The events until the steps were done.
  [[nodiscard]] std::span<const nlohmann::json> step_events() const {
    return std::span(events).first(std::min(step_event_count, events.size()));
  }
  [[nodiscard]] const DeviceEvidence& device(const std::string& name) const;
  /// The last state of each execution, in the order they came to it: {job, device, status, reason}.
  [[nodiscard]] nlohmann::json executions() const;
};

/// What starts next by the flash: the approved image, or the recovery image; nothing: the device halts.
[[nodiscard]] std::optional<ApprovedImage> starts_next(std::span<const std::uint8_t> window,
                                                       const crypto::P256Key& key);

}  // namespace otasim::scenario
