#include "sim/replay/replayer.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <span>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/replay/boot_files.h"
#include "sim/replay/divergence.h"
#include "sim/replay/qemu_version.h"
#include "sim/replay/replay_machine.h"
#include "sim/replay/sha256.h"

namespace otasim::replay {
namespace {

using Ending = ReplayMachine::Ending;
using Outcome = ReplayMachine::Outcome;
using device::BootEnd;

/// What an ending says against the recorded one; nothing if the two go together. A reset that the host made,
/// and a power cut, are the log's end to QEMU; and a device that was about to be reset may have been cut.
std::optional<std::string> compare_ending(BootEnd recorded, const Outcome& replayed) {
  switch (replayed.ending) {
    case Ending::kLogEnd:
      if (recorded != BootEnd::kPowerCutInFlash && recorded != BootEnd::kExit) return std::nullopt;
      return fmt::format("the end: recorded {}, replayed to the log's end", to_string(recorded));
    case Ending::kReset:
      if (recorded != BootEnd::kPowerCutInFlash && recorded != BootEnd::kExit) return std::nullopt;
      return fmt::format("the end: recorded {}, replayed a reset", to_string(recorded));
    case Ending::kCutInFlash:
      if (recorded == BootEnd::kPowerCutInFlash) return std::nullopt;
      return fmt::format("the end: recorded {}, replayed a power cut in flash", to_string(recorded));
    case Ending::kExit:
      if (recorded == BootEnd::kExit && replayed.signaled) return std::nullopt;
      return replayed.message;
    case Ending::kStandstill:
      return replayed.message;
  }
  return replayed.message;
}

Result<std::vector<std::uint8_t>> read_range(const std::string& path, const ByteRange& range) {
  const auto bytes = read_file(path);
  if (!bytes) return bytes;
  if (range.end > bytes->size()) {
    return fail(ExitCode::kUsage, fmt::format("{} is shorter than its recording says", path),
                "The run's folder is not whole.");
  }
  return std::vector(bytes->begin() + static_cast<std::ptrdiff_t>(range.begin),
                     bytes->begin() + static_cast<std::ptrdiff_t>(range.end));
}

}  // namespace

Result<ReplayedBoot> Replayer::replay(const RecordedBoot& boot) {
  if (auto whole = check_whole(boot); !whole) return tl::unexpected(whole.error());
  const auto begin = std::chrono::steady_clock::now();
  const auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  const auto unpacked = unpack(recording_, boot, Mode::kReplay, temp->path().string());
  if (!unpacked) return tl::unexpected(unpacked.error());
  const std::string console_path = temp->file("console");
  boost::asio::io_context io;
  bool is_interrupted = false;
  const TerminationSignals signals(io, [&](int) {
    is_interrupted = true;
    io.stop();
  });
  Outcome outcome;
  auto machine = ReplayMachine::start(io, *unpacked, console_path,
                                      {.on_line = on_line_, .on_end = [&](const Outcome& end) {
                                         outcome = end;
                                         io.stop();
                                       }});
  if (!machine) return tl::unexpected(machine.error());
  (*machine)->run();
  io.run();
  machine->reset();
  if (is_interrupted) return fail(ExitCode::kInterrupted, "interrupted");
  auto difference = compare(boot, *unpacked, console_path);
  if (!difference) return tl::unexpected(difference.error());
  const auto ending = compare_ending(boot.end, outcome);
  // Where the console went another way says more than that it did not come to its end; not where it stopped.
  if (ending && (!*difference || outcome.ending == Ending::kStandstill))
    *difference = *difference ? **difference + "; " + *ending : *ending;
  const auto took = std::chrono::steady_clock::now() - begin;
  return ReplayedBoot{.difference = std::move(*difference),
                      .instructions = outcome.instructions,
                      .wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count()};
}

Result<std::optional<std::string>> Replayer::compare(const RecordedBoot& boot, const UnpackedBoot& unpacked,
                                                     const std::string& console_path) const {
  const auto recorded = read_range(recording_.uart_log(), boot.console);
  if (!recorded) return tl::unexpected(recorded.error());
  const auto replayed = read_file(console_path);
  if (!replayed) return tl::unexpected(replayed.error());
  if (auto difference = compare_console(*recorded, *replayed)) return difference;
  auto difference = compare_operations(recording_.op_log(), boot.operations, unpacked.op_log_path);
  if (!difference || *difference) return difference;
  const auto recorded_flash = flash_at_end(recording_, boot.number);
  if (!recorded_flash) return tl::unexpected(recorded_flash.error());
  const auto replayed_flash = read_file(unpacked.flash_path);
  if (!replayed_flash) return tl::unexpected(replayed_flash.error());
  // What a process that was recorded stored in the dead part's registers after the cut is not the device's.
  const std::size_t length =
      boot.end == BootEnd::kPowerCutInFlash ? flash::kRegistersOffset : device::kFlashWindowBytes;
  return compare_flash(std::span(*recorded_flash).first(length), std::span(*replayed_flash).first(length));
}

Result<void> check_replayable(const Recording& recording) {
  const auto qemu = qemu_version();
  if (!qemu) return tl::unexpected(qemu.error());
  if (*qemu != recording.qemu) {
    return fail(ExitCode::kEnvironment,
                fmt::format("the run was recorded by '{}', and '{}' is installed", recording.qemu, *qemu),
                "QEMU replays only what the same version has recorded: install that one, or record the run "
                "again.");
  }
  const auto sha256 = sha256_of_file(recording.bootloader_copy());
  if (!sha256) return tl::unexpected(sha256.error());
  if (*sha256 == recording.bootloader.sha256) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("{} is not the bootloader that was recorded", recording.bootloader_copy()),
              "Record the run again.");
}

Result<void> check_whole(const RecordedBoot& boot) {
  if (boot.is_whole) return {};
  return fail(ExitCode::kUsage,
              fmt::format("boot {} cannot be replayed: QEMU's log of it is not whole", boot.number),
              "QEMU ended by itself, or did not end in time. Replay the other boots with --boot.");
}

}  // namespace otasim::replay
