#include "sim/replay/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "sim/base/file_io.h"
#include "sim/device/elf_symbols.h"
#include "sim/flash/plan_log.h"
#include "sim/replay/boot_files.h"
#include "sim/replay/flash_images.h"
#include "sim/replay/page_delta.h"
#include "sim/replay/qemu_version.h"
#include "sim/replay/sha256.h"

namespace otasim::replay {
namespace {

using device::BootEnd;

/// 0 of a file that is not there yet.
std::uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

/// QEMU writes the log's version, which comes first, when it has written all the rest.
bool is_log_whole(const std::string& path) {
  std::array<char, 4> version{};
  std::ifstream log(path, std::ios::binary);
  return log.read(version.data(), version.size()) && log.peek() != std::ifstream::traits_type::eof() &&
         std::ranges::any_of(version, [](char byte) { return byte != 0; });
}

/// Without what `-kernel` loads: QEMU puts that in place itself, and does not take it twice.
std::vector<MemoryRange> without_loaded(std::span<const MemoryRange> memory,
                                        const std::vector<device::LoadedPiece>& loaded) {
  std::vector<MemoryRange> pieces;
  for (const MemoryRange& range : memory) {
    std::uint64_t begin = range.address;
    const std::uint64_t end = begin + range.size;
    for (const device::LoadedPiece& piece : loaded) {  // by address
      const std::uint64_t piece_end = std::uint64_t{piece.address} + piece.size;
      if (piece_end <= begin || piece.address >= end) continue;
      if (piece.address > begin)
        pieces.push_back(
            {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(piece.address - begin)});
      begin = std::max(begin, piece_end);
    }
    if (begin < end)
      pieces.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)});
  }
  return pieces;
}

Result<Program> program_of(const std::string& path) {
  auto sha256 = sha256_of_file(path);
  if (!sha256) return tl::unexpected(sha256.error());
  return Program{path, std::move(*sha256)};
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::create(const Spec& spec) {
  if (auto covered = check_board(spec.board); !covered) return tl::unexpected(covered.error());
  std::unique_ptr<Recorder> recorder(new Recorder(spec));
  Recording& recording = recorder->recording_;
  auto qemu = qemu_version();
  if (!qemu) return tl::unexpected(qemu.error());
  recording = {.folder = spec.folder,
               .device = spec.device,
               .board = spec.board,
               .qemu = std::move(*qemu),
               .seed = spec.seed,
               .window_address = spec.window_address,
               .nic_model = spec.nic_model,
               .mac = spec.mac};
  for (const auto& [program, path] : {std::pair{&recording.bootloader, &spec.bootloader_elf},
                                      std::pair{&recording.application, &spec.application_elf},
                                      std::pair{&recording.plugin, &spec.plugin}}) {
    auto known = program_of(*path);
    if (!known) return tl::unexpected(known.error());
    *program = std::move(*known);
  }
  const auto elf = read_file(spec.bootloader_elf);
  if (!elf) return tl::unexpected(elf.error());
  recording.memory = without_loaded(kept_memory(spec.board), device::loaded_pieces(*elf));
  std::error_code error;
  std::filesystem::create_directories(spec.folder, error);
  if (auto copied = write_file_atomic(recording.bootloader_copy(), *elf); !copied)
    return tl::unexpected(copied.error());
  recorder->flash_.assign(device::kFlashWindowBytes, kErased);
  return recorder;
}

Result<device::RecordingArguments> Recorder::begin(std::string_view cause) {
  if (error_) return tl::unexpected(*error_);
  const auto number = static_cast<unsigned>(recording_.boots.size() + 1);
  RecordedBoot boot{.number = number, .cause = std::string(cause)};
  boot.console.begin = size_of(recording_.uart_log());
  boot.operations.begin = size_of(recording_.op_log());
  if (auto kept = keep_start(number); !kept) return tl::unexpected(kept.error());
  std::vector<std::string> memory;
  if (boot.after_reset()) {
    auto kept = keep_memory(number);
    if (!kept) return tl::unexpected(kept.error());
    memory = std::move(*kept);
  }
  boot_ = boot;
  return more_arguments(recording_, number, boot.after_reset(), Mode::kRecord, memory);
}

Result<void> Recorder::keep_start(unsigned boot) {
  auto flash = read_file(spec_.flash_path);
  if (!flash) return tl::unexpected(flash.error());
  if (auto kept = write_page_delta(recording_.path(boot, Recording::kFlash), flash_, *flash); !kept)
    return kept;
  flash_ = std::move(*flash);
  const auto faults = read_file(spec_.fault_path);
  if (!faults) return tl::unexpected(faults.error());
  const std::vector<std::uint8_t> nothing(faults->size(), 0);
  return write_page_delta(recording_.path(boot, Recording::kFaults), nothing, *faults);
}

Result<std::vector<std::string>> Recorder::keep_memory(unsigned boot) {
  std::vector<std::string> files;
  std::size_t number = 0;
  for (const device::MemoryDump& dump : memory_dumps()) {
    const auto content = read_file(dump.path);
    if (!content) return tl::unexpected(content.error());
    const std::vector<std::uint8_t> nothing(content->size(), 0);
    if (auto kept = write_page_delta(recording_.memory_path(boot, number++), nothing, *content); !kept)
      return tl::unexpected(kept.error());
    files.push_back(dump.path);
  }
  return files;
}

std::vector<device::MemoryDump> Recorder::memory_dumps() {
  std::vector<device::MemoryDump> dumps;
  for (const MemoryRange& piece : recording_.memory) {
    dumps.push_back(
        {piece.address, piece.size, fmt::format("{}/memory-{}", spec_.scratch_folder, dumps.size())});
  }
  return dumps;
}

void Recorder::end(BootEnd how) {
  if (!boot_) return;
  if (auto finished = finish_boot(how); !finished && !error_) error_ = finished.error();
  boot_.reset();
}

Result<void> Recorder::finish_boot(BootEnd how) {
  boot_->end = how;
  boot_->console.end = size_of(recording_.uart_log());
  boot_->operations.end = size_of(recording_.op_log());
  boot_->is_whole = is_log_whole(recording_.path(boot_->number, Recording::kLog)) &&
                    flash_file::PlanLog::open(recording_.path(boot_->number, Recording::kPlans));
  auto flash = read_file(spec_.flash_path);
  if (!flash) return tl::unexpected(flash.error());
  if (auto kept = write_page_delta(recording_.path(boot_->number, Recording::kEnd), flash_, *flash); !kept)
    return kept;
  flash_ = std::move(*flash);
  recording_.boots.push_back(*boot_);
  return recording_.save();
}

}  // namespace otasim::replay
