// The counters behind OTA_GetStatistics(): the task that receives messages and the one that runs the agent
// count at the same time.
#pragma once

#include <atomic>
#include <cstdint>

#include "agent/include/ota_types.h"

namespace ota {

struct AgentStatistics {
  std::atomic<std::uint32_t> otaPacketsReceived{0};
  std::atomic<std::uint32_t> otaPacketsQueued{0};
  std::atomic<std::uint32_t> otaPacketsProcessed{0};
  std::atomic<std::uint32_t> otaPacketsDropped{0};

  void clear() {
    otaPacketsReceived = 0;
    otaPacketsQueued = 0;
    otaPacketsProcessed = 0;
    otaPacketsDropped = 0;
  }
  [[nodiscard]] OtaAgentStatistics_t snapshot() const {
    return {otaPacketsReceived, otaPacketsQueued, otaPacketsProcessed, otaPacketsDropped};
  }
};

}  // namespace ota
