// Replays recorded boots and compares what the device does with what it did.
//
//   Replayer replayer(recording, {.on_boot = ..., .on_line = ...});
//   auto boot = replayer.replay(1);
//   if (boot->difference) ...         // the first thing that was not as recorded
//
// Each boot is replayed on its own, from the state that it began with, in a temporary folder that is gone
// afterwards; the recording is not changed. No network and no broker is needed. On a difference the console
// is looked at first, then the operations on flash, then what flash held in the end.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/result.h"
#include "sim/replay/recording.h"

namespace otasim::replay {

struct ReplayedBoot {
  std::optional<std::string> difference = {};
  std::uint64_t instructions = 0;
  std::int64_t wall_ms = 0;
};

class Replayer {
 public:
  using OnLine = std::function<void(std::string_view line)>;

  /// @param recording  outlives the object; its plugin is that of the program that replays
  Replayer(const Recording& recording, OnLine on_line)
      : recording_(recording), on_line_(std::move(on_line)) {}

  /// @returns kUsage        the recording is damaged, or this boot is not whole
  ///          kEnvironment  QEMU or a file cannot be used
  ///          kInterrupted  Ctrl-C or SIGTERM
  [[nodiscard]] Result<ReplayedBoot> replay(const RecordedBoot& boot);

 private:
  [[nodiscard]] Result<std::optional<std::string>> compare(const RecordedBoot& boot,
                                                           const struct UnpackedBoot& unpacked,
                                                           const std::string& console_path) const;

  const Recording& recording_;
  OnLine on_line_;
};

/// Whether a recording can be replayed here. @returns kEnvironment, with advice, if its QEMU is not the one
/// that is installed, or its bootloader is not there
[[nodiscard]] Result<void> check_replayable(const Recording& recording);
/// @returns kUsage if a boot's log is not whole
[[nodiscard]] Result<void> check_whole(const RecordedBoot& boot);

}  // namespace otasim::replay
