#include "sim/replay/boot_files.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/flash/fault_file.h"
#include "sim/replay/empty_disk.h"
#include "sim/replay/page_delta.h"

namespace otasim::replay {
namespace {

using device::option_value;

std::string_view plugin_mode(Mode mode) {
  switch (mode) {
    case Mode::kRecord:
      return "record";
    case Mode::kReplay:
      return "replay";
    case Mode::kDebug:
      return "debug";
  }
  return "";
}

/// QEMU would wait for a pipe's writer, and read a device to no end.
Result<void> need_regular_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    return fail(ExitCode::kEnvironment, fmt::format("{} is missing", path), "The run's folder is not whole.");
  if (std::filesystem::is_regular_file(status)) return {};
  return fail(ExitCode::kUsage, fmt::format("{} is not a regular file", path));
}

/// The fault file's size is part of its format; a delta of another size is refused.
Result<std::vector<std::uint8_t>> faults_at_start(const Recording& recording, unsigned boot) {
  const std::string path = recording.path(boot, Recording::kFaults);
  const auto size = flash_file::fault_file_size();
  std::vector<std::uint8_t> content(size, 0);
  if (auto applied = apply_page_delta(path, content); !applied) return tl::unexpected(applied.error());
  return content;
}

Result<std::string> unpack_memory(const Recording& recording, const RecordedBoot& boot, std::size_t piece,
                                  const std::string& folder) {
  std::vector<std::uint8_t> content(recording.memory[piece].size, 0);
  if (auto applied = apply_page_delta(recording.memory_path(boot.number, piece), content); !applied)
    return tl::unexpected(applied.error());
  std::string path = fmt::format("{}/memory-{}", folder, piece);
  if (auto written = write_sparse_file(path, content); !written) return tl::unexpected(written.error());
  return path;
}

}  // namespace

device::RecordingArguments more_arguments(const Recording& recording, unsigned boot, bool after_reset,
                                          Mode mode, const std::vector<std::string>& memory_files) {
  device::RecordingArguments result;
  const std::string icount = fmt::format("shift={},rr={},rrfile={}", recording.icount_shift,
                                         mode == Mode::kRecord ? "record" : "replay",
                                         option_value(recording.path(boot, Recording::kLog)));
  result.arguments = {"-icount", icount, "-object", "filter-replay,id=replay,netdev=n0"};
  for (std::size_t i = 0; i < memory_files.size(); ++i) {
    result.arguments.emplace_back("-device");
    result.arguments.push_back(fmt::format("loader,addr={:#x},file={},force-raw=on",
                                           recording.memory[i].address, option_value(memory_files[i])));
  }
  result.plugin_options =
      fmt::format(",plans={},mode={},start={}", option_value(recording.path(boot, Recording::kPlans)),
                  plugin_mode(mode), after_reset ? "reset" : "power");
  return result;
}

Result<UnpackedBoot> unpack(const Recording& recording, const RecordedBoot& boot, Mode mode,
                            std::span<const std::uint8_t> flash, const std::string& folder) {
  for (const auto what : {Recording::kLog, Recording::kPlans}) {
    if (auto is_file = need_regular_file(recording.path(boot.number, what)); !is_file)
      return tl::unexpected(is_file.error());
  }
  UnpackedBoot unpacked{.sockets = {folder + "/qmp.sock", folder + "/uart.sock", {}},
                        .flash_path = folder + "/flash.bin"};
  if (mode == Mode::kReplay) unpacked.op_log_path = folder + "/flash.ops";
  if (auto written = write_sparse_file(unpacked.flash_path, flash); !written)
    return tl::unexpected(written.error());
  const auto faults = faults_at_start(recording, boot.number);
  if (!faults) return tl::unexpected(faults.error());
  const std::string fault_path = folder + "/flash.faults";
  if (auto written = write_sparse_file(fault_path, *faults); !written) return tl::unexpected(written.error());
  std::vector<std::string> memory;
  for (std::size_t i = 0; boot.after_reset() && i < recording.memory.size(); ++i) {
    auto file = unpack_memory(recording, boot, i, folder);
    if (!file) return tl::unexpected(file.error());
    memory.push_back(std::move(*file));
  }
  const auto more = more_arguments(recording, boot.number, boot.after_reset(), mode, memory);
  device::Config config{
      .board = recording.board,
      .bootloader_path = recording.bootloader_copy(),
      .flash = device::FlashWindow{.path = unpacked.flash_path,
                                   .address = recording.window_address,
                                   .plugin_path = recording.plugin.path,
                                   .op_log_path = unpacked.op_log_path,
                                   .fault_path = fault_path,
                                   .seed = recording.seed,
                                   .more_options = more.plugin_options},
      .more_arguments = {"-netdev", "hubport,id=n0,hubid=0", "-net",
                         fmt::format("nic,model={},netdev=n0,macaddr={}", option_value(recording.nic_model),
                                     option_value(recording.mac))},
      .uart_log_path = {},
      .run_folder = {}};
  config.more_arguments.insert(config.more_arguments.end(), more.arguments.begin(), more.arguments.end());
  if (mode == Mode::kDebug) {
    const std::string disk = folder + "/snapshots.qcow2";
    if (auto made = make_empty_disk(disk); !made) return tl::unexpected(made.error());
    config.more_arguments.insert(
        config.more_arguments.end(),
        {"-drive", fmt::format("file={},format=qcow2,if=none,id=snapshots", option_value(disk))});
  }
  unpacked.arguments = device::qemu_arguments(config, unpacked.sockets);
  return unpacked;
}

}  // namespace otasim::replay
