// Replays recorded boots and compares what the device does with what it did.
//
//   Replayer replayer(io, interruption, recording, on_line);
//   for (const RecordedBoot& boot : recording.boots) {
//     const auto replayed = replayer.replay(boot);
//     if (replayed->outcome == ReplayedBoot::Outcome::kDiverged) ... replayed->why.message ...
//   }
//
// Each boot is replayed on its own, from the state that it began with, in a temporary folder that is gone
// afterwards; the recording is not changed. No network and no broker is needed. On a difference the console
// is looked at first, then the operations on flash, then what flash held in the end.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/interruption.h"
#include "sim/base/result.h"
#include "sim/replay/boot_files.h"
#include "sim/replay/flash_images.h"
#include "sim/replay/recording.h"
#include "sim/replay/replay_machine.h"

namespace otasim::replay {

struct ReplayedBoot {
  enum class Outcome : std::uint8_t {
    kIdentical,
    kDiverged,
    kNotReplayed,  ///< nothing is known of it: its files are damaged or missing, or QEMU cannot run it
  };

  Outcome outcome = Outcome::kIdentical;
  /// kFailed and the first difference; or why it was not replayed: kUsage for a recording that is damaged,
  /// kEnvironment for a file that is missing or cannot be used.
  Error why = {};
  std::uint64_t instructions = 0;
  std::int64_t wall_ms = 0;
};

class Replayer {
 public:
  using OnLine = std::function<void(std::string_view line)>;

  /// All but `on_line` outlives the object.
  /// @param recording  its plugin is that of the program that replays
  Replayer(boost::asio::io_context& io, Interruption& interruption, const Recording& recording,
           OnLine on_line)
      : io_(io),
        interruption_(interruption),
        recording_(recording),
        flash_(recording),
        on_line_(std::move(on_line)) {}

  /// Boots that are replayed in order read each file of flash once.
  /// @returns kInterrupted alone
  [[nodiscard]] Result<ReplayedBoot> replay(const RecordedBoot& boot);

 private:
  [[nodiscard]] Result<void> replay_into(const RecordedBoot& boot, ReplayedBoot& replayed);
  [[nodiscard]] Result<ReplayMachine::Outcome> run(const UnpackedBoot& unpacked,
                                                   const std::string& console_path);
  [[nodiscard]] Result<std::optional<std::string>> compare(const RecordedBoot& boot,
                                                           const UnpackedBoot& unpacked,
                                                           const std::string& console_path);

  boost::asio::io_context& io_;
  Interruption& interruption_;
  const Recording& recording_;
  FlashImages flash_;
  OnLine on_line_;
};

/// Whether a recording can be replayed here. @returns kEnvironment, with advice, if its QEMU is not the one
/// that is installed, or its bootloader is not there
[[nodiscard]] Result<void> check_replayable(const Recording& recording);
/// @returns kUsage if a boot's log is not whole
[[nodiscard]] Result<void> check_whole(const RecordedBoot& boot);

}  // namespace otasim::replay
