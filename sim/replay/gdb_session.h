// A recorded boot under gdb: it replays in both directions.
//
//   debug_boot(recording, boot, {.commands = {"break boot_main", "continue"}});
//
// QEMU waits at the reset vector when gdb starts. Going back is done by going to a snapshot of the boot's
// start and running forward again, so the console repeats itself, and each step back takes as long as the way
// there. What the device printed goes to stderr.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/replay/recording.h"

namespace otasim::replay {

struct GdbOptions {
  std::vector<std::string> commands = {};  ///< run one after the other, then gdb ends; none: a person types
  std::vector<std::string> symbols = {};   ///< further ELF files
  std::string script = {};                 ///< sourced at the start, if it exists
};

/// Returns when gdb has ended. @returns kEnvironment if gdb or QEMU cannot be started; kUsage as unpack();
///          kFailed if gdb ended with an error
[[nodiscard]] Result<void> debug_boot(const Recording& recording, const RecordedBoot& boot,
                                      const GdbOptions& options);

}  // namespace otasim::replay
