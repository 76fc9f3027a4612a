// A recorded boot under gdb-multiarch: it replays in both directions.
//
//   debug_boot(io, interruption, recording, boot, {.commands = {"break boot_main", "continue"}});
//
// QEMU waits at the reset vector when GDB starts. Going back is done by going to a snapshot of the boot's
// start and running forward again, so the console repeats itself, and each step back takes as long as the way
// there. What the device printed goes to stderr.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "sim/base/interruption.h"
#include "sim/base/result.h"
#include "sim/replay/recording.h"

namespace otasim::debug {

struct BootOptions {
  std::vector<std::string> commands = {};  ///< run one after the other, then GDB ends; none: a person types
  std::vector<std::string> symbols = {};   ///< further ELF files
};

/// Returns when GDB has ended. @returns kEnvironment if GDB or QEMU cannot be started; kUsage as
///          replay::unpack(); kFailed if GDB ended with an error; kInterrupted
[[nodiscard]] Result<void> debug_boot(boost::asio::io_context& io, Interruption& interruption,
                                      const replay::Recording& recording, const replay::RecordedBoot& boot,
                                      const BootOptions& options);

}  // namespace otasim::debug
