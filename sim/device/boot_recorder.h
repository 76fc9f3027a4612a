// Who keeps a recording of a device's boots, as the device sees it.
//
// A boot is what one QEMU process runs: from power-on or a reset to the next reset, the power's end or QEMU's
// own. A device that is recorded starts a new process at each reset, because QEMU replays neither what the
// host does to a machine that stands still nor a reset that the host makes; memory goes from one process to
// the next through files. The order for each boot:
//
//   begin()            no process runs; flash and fault file are as the boot will find them
//   memory_dumps()     at a reset, while the machine stands still: what QEMU is to write where
//   end()              the process has gone, its log is whole unless it had to be killed
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"

namespace otasim::device {

/// A piece of physical memory and the file it goes to.
struct MemoryDump {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
  std::string path;
};

/// How a boot ended.
enum class BootEnd : std::uint8_t {
  kPowerCut,         ///< between two instructions
  kPowerCutInFlash,  ///< in an operation; what the process ran after it is not the device's
  kShutDown,
  kReset,
  kExit,  ///< QEMU ended by itself
};

/// What a recorded boot adds to QEMU's command line.
struct RecordingArguments {
  std::vector<std::string> arguments;
  std::string plugin_options;  ///< for the flash controller, each with a comma before it
};

class BootRecorder {
 public:
  BootRecorder() = default;
  BootRecorder(const BootRecorder&) = delete;
  BootRecorder& operator=(const BootRecorder&) = delete;
  virtual ~BootRecorder() = default;

  /// @param cause  "power_on", or the reset's
  /// @returns kEnvironment if a file cannot be written; the device then does not start
  [[nodiscard]] virtual Result<RecordingArguments> begin(std::string_view cause) = 0;
  [[nodiscard]] virtual std::vector<MemoryDump> memory_dumps() = 0;
  virtual void end(BootEnd how) = 0;
};

}  // namespace otasim::device
