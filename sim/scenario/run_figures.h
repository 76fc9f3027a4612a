// What a run's events say of a device and its jobs in figures: how long it took to be connected, to receive
// an image, to be done; and what runs on it.
//
// Pure functions of the events. Times are counted from the device's first power-on; what has not happened has
// none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sim/base/json.h"

namespace otasim::scenario {

struct JobTimes {
  /// From the job's arrival at the device (as the demo application says, else the first byte that is served)
  /// to "self_test": "ready": the image is received and verified.
  std::optional<std::int64_t> transfer_ms;
  std::optional<std::int64_t> ended_ms;  ///< from power-on to the execution's end
};

/// Power-on to the broker accepting it.
[[nodiscard]] std::optional<std::int64_t> boot_to_connected_ms(std::span<const nlohmann::json> events,
                                                               const std::string& device);
[[nodiscard]] JobTimes job_times(std::span<const nlohmann::json> events, const std::string& device,
                                 const std::string& job);
/// Version that its bootloader started last; "nothing" if it started none.
[[nodiscard]] std::string running_version(std::span<const nlohmann::json> events, const std::string& device);
/// Why the device went off by itself; empty: it did not.
[[nodiscard]] std::string went_off(std::span<const nlohmann::json> events, const std::string& device);
/// Whether an execution with this status is over: AWS's terminal states.
[[nodiscard]] bool is_terminal(const std::string& status);

}  // namespace otasim::scenario
