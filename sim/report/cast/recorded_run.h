// What a run has left in its folder, as a recording needs it: events, flash operations and frames, in one
// order of time.
//
//   auto run = read_recorded_run("otasim-runs/...");
//   for (const Moment& moment : run->moments) ...
//
// The order is the run stream's (sim/report/run_stream.h). What flash holds is taken from the bytes that were
// written, not from what the device says.
//
// What can go wrong: without op log, flash before the run or capture there are no operations or frames, and
// `flash_problem` says why. A line of the log that is no event is passed over.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::report::cast {

/// The boot record in force.
struct RecordText {
  std::string committed;  ///< slot: "A", "none"
  std::string staged;
  std::string state;  ///< of what is staged: "receiving"

  bool operator==(const RecordText&) const = default;
};

struct FlashChange {
  bool is_erase = false;
  std::uint32_t offset = 0;  ///< of the first cell changed
  std::uint32_t length = 0;  ///< cells changed
  bool has_record = false;   ///< whether boot control was touched; `record` is then what is in force
  RecordText record = {};
  int slot = -1;             ///< whose header may be another now: of kShownSlots
  std::string version = {};  ///< of the image whose header stands there; empty: none
};

/// The slots as the map shows them.
inline constexpr std::array kShownSlots{flash::kSlotA, flash::kSlotB, flash::kRecovery};

struct FlashBefore {
  std::vector<bool> pages;  ///< which are programmed; empty: there is no flash
  std::array<std::string, kShownSlots.size()> versions = {};
  RecordText record = {};
};

struct Frame {
  bool is_from_device = false;
  std::uint32_t bytes = 0;
};

struct RecordedDevice {
  std::string name;
  FlashBefore before = {};
  std::vector<FlashChange> changes = {};
  std::vector<Frame> frames = {};
  std::string flash_problem = {};  ///< why there is no flash
};

struct Moment {
  enum class Kind : std::uint8_t { kEvent, kFlash, kFrame };
  std::int64_t t_us = 0;
  Kind kind = Kind::kEvent;
  std::size_t device = 0;  ///< of flash and frames
  std::size_t index = 0;   ///< in `events`, or the device's changes or frames
};

struct RecordedRun {
  std::vector<nlohmann::json> events = {};
  std::vector<RecordedDevice> devices = {};
  std::vector<Moment> moments = {};
  nlohmann::json result = {};  ///< result.json; null: the run did not come to an end
  std::int64_t epoch_us = 0;   ///< calendar time of t_us 0; 0: not known
};

/// result.json; null: the run did not come to an end.
[[nodiscard]] nlohmann::json read_run_result(const std::string& folder);

/// @returns kEnvironment if there is no event log that can be read; kUsage if it is a later version's
[[nodiscard]] Result<RecordedRun> read_recorded_run(const std::string& folder);

}  // namespace otasim::report::cast
