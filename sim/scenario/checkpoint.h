// What a run leaves behind when it kills its simulator, for the process that goes on with it.
//
// Cloud, broker configuration and flash are files already, and are as the kill has left them: nothing is
// saved of them. What is here is the scenario's own: how far it had come, and what it made at its start.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/base/result.h"

namespace otasim::scenario {

struct Checkpoint {
  static constexpr const char* kFile = "checkpoint.json";

  std::size_t step = 0;    ///< the next one
  std::size_t cursor = 0;  ///< the first event that no wait has seen
  std::string lab_folder;
  std::uint16_t mqtt_port = 0;  ///< 0: any free one, which its devices are told
  std::set<std::string> devices_on;
  std::set<std::string> damaged;               ///< devices whose flash a fault has changed
  std::map<std::string, std::string> updates;  ///< job id to image name

  /// @param folder  of the run
  [[nodiscard]] Result<void> save(const std::string& folder) const;
  /// Reads one and removes it: it is good once. @returns nothing if there is none
  [[nodiscard]] static Result<std::optional<Checkpoint>> take(const std::string& folder);
  /// The same without removing it.
  [[nodiscard]] static Result<std::optional<Checkpoint>> look(const std::string& folder);
};

}  // namespace otasim::scenario
