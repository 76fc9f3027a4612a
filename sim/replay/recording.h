// A recording of one device, as it stands in a run's folder (`devices/NAME/recording/`).
//
//   auto recording = Recording::load(folder);
//   for (const RecordedBoot& boot : recording->boots) ... recording->path(boot, "log") ...
//   recording.save();
//
// recording.json says what was recorded and with what; beside it stand, for each boot, QEMU's log, the flash
// and the cells it began with, what was armed meanwhile, memory if a reset began it, and the flash that it
// left. docs/record-replay.md is the format's reference.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"
#include "sim/device/boot_recorder.h"
#include "sim/replay/coverage.h"

namespace otasim::replay {

inline constexpr int kRecordingVersion = 1;
/// Nanoseconds of the board's time for one instruction, as a power of two: 32, so 31 million a second.
inline constexpr int kIcountShift = 5;

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct RecordedBoot {
  unsigned number = 0;  ///< from 1
  std::string cause;    ///< "power_on", "software", "watchdog", "external"
  device::BootEnd end = device::BootEnd::kPowerCut;
  bool is_whole = false;      ///< its log can be replayed
  ByteRange console = {};     ///< of uart.log
  ByteRange operations = {};  ///< of flash.ops

  [[nodiscard]] bool after_reset() const { return cause != "power_on"; }
};

/// A program that took part.
struct Program {
  std::string path;
  std::string sha256;
};

struct Recording {
  std::string folder = {};
  std::string device;
  std::string board;
  std::string qemu;  ///< what it says of its version
  int icount_shift = kIcountShift;
  std::uint64_t seed = 1;
  std::uint32_t window_address = 0;
  std::string nic_model;
  std::string mac;
  Program bootloader = {};   ///< its copy is bootloader_copy()
  Program application = {};  ///< for its symbols
  Program plugin = {};
  std::vector<MemoryRange> memory = {};  ///< what a reset keeps, piece by piece
  std::vector<RecordedBoot> boots = {};

  /// @returns kUsage if there is none, or one that cannot be understood
  [[nodiscard]] static Result<Recording> load(const std::string& folder);
  [[nodiscard]] Result<void> save() const;

  [[nodiscard]] std::string path(unsigned boot, std::string_view what) const;
  [[nodiscard]] std::string memory_path(unsigned boot, std::size_t piece) const;
  [[nodiscard]] std::string bootloader_copy() const { return folder + "/bootloader.elf"; }
  [[nodiscard]] std::string uart_log() const { return folder + "/../uart.log"; }
  [[nodiscard]] std::string op_log() const { return folder + "/../flash.ops"; }
  /// @returns null if there is no such boot
  [[nodiscard]] const RecordedBoot* boot(unsigned number) const;

  // Files of a boot.
  static constexpr std::string_view kLog = "log";
  static constexpr std::string_view kFlash = "flash";
  static constexpr std::string_view kFaults = "faults";
  static constexpr std::string_view kPlans = "plans";
  static constexpr std::string_view kEnd = "end";
};

/// "power_cut" and so on.
[[nodiscard]] std::string_view to_string(device::BootEnd end);

}  // namespace otasim::replay
