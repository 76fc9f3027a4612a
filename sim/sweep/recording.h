// What a sweep cuts: the flash of a device before an update, and every operation on it since.
//
// Taken from a run's folder (`devices/NAME/`: factory.bin, flash.ops, flash.bin), whoever made the run. A
// recording whose operations do not lead to the flash that the run has left is refused: something else
// changed it - bit rot, a marginal bit - and what lies between could not be rebuilt.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/flash/flash_history.h"

namespace otasim::sweep {

struct Recording {
  std::string name;    ///< the scenario's
  std::string folder;  ///< of the run
  std::string board;
  std::string data = {};  ///< protocol of the update: "mqtt" or "http"
  std::string device;
  std::uint64_t seed = 1;
  flash_file::FlashHistory history;

  /// @param folder  of a run; the first device's flash is taken
  /// @returns kUsage if it is no run, or its flash is not what its operations have made; kEnvironment
  [[nodiscard]] static Result<Recording> load(const std::string& folder);
};

}  // namespace otasim::sweep
