// A boot's files, and what they add to QEMU's command line: the same for recording, replay and debugging, so
// that the three cannot drift apart.
//
//   record:   more_arguments(recording, boot, Mode::kRecord, memory files)     added to the device's own
//   replay:   unpack(recording, boot, Mode::kReplay, folder)                   all that QEMU needs
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/device/boot_recorder.h"
#include "sim/device/device.h"
#include "sim/device/qemu_command.h"
#include "sim/replay/recording.h"

namespace otasim::replay {

enum class Mode : std::uint8_t { kRecord, kReplay, kDebug };

/// @param memory_files  what memory holds at the start, piece by piece; empty at power-on
[[nodiscard]] device::RecordingArguments more_arguments(const Recording& recording, unsigned boot,
                                                        bool after_reset, Mode mode,
                                                        const std::vector<std::string>& memory_files);

/// A boot ready to be replayed: its files as they were, in a folder of its own.
struct UnpackedBoot {
  std::vector<std::string> arguments = {};  ///< of QEMU
  device::QemuSockets sockets;              ///< where it connects to
  std::string flash_path;
  std::string op_log_path = {};  ///< what the replay writes; none under a debugger
};

/// @param flash   that the boot began with
/// @param folder  its path short
/// @returns kUsage if the recording is damaged, or has something else in a file's place; kEnvironment if a
///          file is missing or cannot be written
[[nodiscard]] Result<UnpackedBoot> unpack(const Recording& recording, const RecordedBoot& boot, Mode mode,
                                          std::span<const std::uint8_t> flash, const std::string& folder);

}  // namespace otasim::replay
