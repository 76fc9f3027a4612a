#include "sim/replay/replayer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"
#include "sim/replay/divergence.h"
#include "sim/replay/qemu_version.h"
#include "sim/replay/sha256.h"

namespace otasim::replay {
namespace {

using Ending = ReplayMachine::Ending;
using Outcome = ReplayMachine::Outcome;
using device::BootEnd;

/// Of one boot. A forged recording does not get more memory than this.
constexpr std::uint64_t kMaxConsoleBytes = std::uint64_t{256} * 1024 * 1024;

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
  const auto refuse = [&](const char* why) {
    return fail(ExitCode::kUsage, fmt::format("{} {}", path, why), "The run's folder is not whole.");
  };
  // Opening a pipe waits for its writer, unless told not to.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0)
    return fail(ExitCode::kEnvironment, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) return refuse("is not a regular file");
  if (range.end > static_cast<std::uint64_t>(info.st_size))
    return refuse("is shorter than its recording says");
  if (range.end - range.begin > kMaxConsoleBytes) return refuse("holds more of one boot than is replayed");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(range.end - range.begin));
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t count =
        ::pread(file.get(), bytes.data() + have, bytes.size() - have, static_cast<off_t>(range.begin + have));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return refuse("cannot be read");
    have += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace

Result<ReplayedBoot> Replayer::replay(const RecordedBoot& boot) {
  const auto begin = std::chrono::steady_clock::now();
  ReplayedBoot replayed;
  if (auto done = replay_into(boot, replayed); !done) {
    if (done.error().code == ExitCode::kInterrupted) return tl::unexpected(done.error());
    replayed.outcome = ReplayedBoot::Outcome::kNotReplayed;
    replayed.why = done.error();
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  replayed.wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  return replayed;
}

Result<void> Replayer::replay_into(const RecordedBoot& boot, ReplayedBoot& replayed) {
  if (auto whole = check_whole(boot); !whole) return whole;
  const auto flash = flash_.at_start(boot.number);
  if (!flash) return tl::unexpected(flash.error());
  const auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  const auto unpacked = unpack(recording_, boot, Mode::kReplay, *flash, temp->path().string());
  if (!unpacked) return tl::unexpected(unpacked.error());
  const std::string console_path = temp->file("console");
  const auto outcome = run(*unpacked, console_path);
  if (!outcome) return tl::unexpected(outcome.error());
  replayed.instructions = outcome->instructions;
  // A device that has gone another way lets QEMU abort, or stand still.
  if (outcome->ending == Ending::kExit && !outcome->signaled && boot.end != BootEnd::kExit)
    return fail(ExitCode::kUsage, outcome->message, "The recording is damaged: record the run again.");
  auto difference = compare(boot, *unpacked, console_path);
  if (!difference) return tl::unexpected(difference.error());
  const auto ending = compare_ending(boot.end, *outcome);
  // Where the console went another way says more than that it did not come to its end; not where it stopped.
  if (ending && (!*difference || outcome->ending == Ending::kStandstill))
    *difference = *difference ? **difference + "; " + *ending : *ending;
  if (*difference) {
    replayed.outcome = ReplayedBoot::Outcome::kDiverged;
    replayed.why = {ExitCode::kFailed, **difference, {}};
  }
  return interruption_.check();
}

Result<ReplayMachine::Outcome> Replayer::run(const UnpackedBoot& unpacked, const std::string& console_path) {
  if (auto go_on = interruption_.check(); !go_on) return tl::unexpected(go_on.error());
  Outcome outcome;
  auto machine = ReplayMachine::start(io_, unpacked, console_path,
                                      {.on_line = on_line_, .on_end = [&](const Outcome& end) {
                                         outcome = end;
                                         io_.stop();
                                       }});
  if (!machine) return tl::unexpected(machine.error());
  (*machine)->run();
  io_.run();
  machine->reset();
  if (auto go_on = interruption_.check(); !go_on) return tl::unexpected(go_on.error());
  return outcome;
}

Result<std::optional<std::string>> Replayer::compare(const RecordedBoot& boot, const UnpackedBoot& unpacked,
                                                     const std::string& console_path) {
  const auto recorded = read_range(recording_.uart_log(), boot.console);
  if (!recorded) return tl::unexpected(recorded.error());
  const auto replayed = read_file(console_path);
  if (!replayed) return tl::unexpected(replayed.error());
  if (auto difference = compare_console(*recorded, *replayed)) return difference;
  auto difference = compare_operations(recording_.op_log(), boot.operations, unpacked.op_log_path);
  if (!difference || *difference) return difference;
  const auto recorded_flash = flash_.at_end(boot.number);
  if (!recorded_flash) return tl::unexpected(recorded_flash.error());
  const auto replayed_flash = read_file(unpacked.flash_path);
  if (!replayed_flash) return tl::unexpected(replayed_flash.error());
  // What a process that was recorded stored in the dead part's registers after the cut is not the device's.
  const std::size_t length =
      boot.end == BootEnd::kPowerCutInFlash ? flash::kRegistersOffset : device::kFlashWindowBytes;
  return compare_flash(recorded_flash->first(length), std::span(*replayed_flash).first(length));
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
  return fail(ExitCode::kUsage, fmt::format("boot {} is not whole: it cannot be replayed", boot.number),
              "QEMU ended by itself or did not end in time, or the disk was full.");
}

}  // namespace otasim::replay
