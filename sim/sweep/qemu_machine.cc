#include "sim/sweep/qemu_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/mps2/memory_map.h"
#include "sim/base/file_io.h"
#include "sim/flash/qemu_arguments.h"
#include "sim/image/elf.h"
#include "sim/image/image.h"
#include "sim/sweep/boot_transcript.h"
#include "sim/sweep/fresh_qemu_machine.h"

namespace otasim::sweep {
namespace {

/// Resets of a device's own in one boot; one that does more goes round in circles.
constexpr unsigned kMaxResets = 8;

/// What is zeroed of memory: what the bootloader keeps over a reset, and of load memory an image's header and
/// vector table, without which nothing of the boot before can be taken for an image or started.
constexpr std::size_t kLostBytes = 0x400;
static_assert(kLostBytes >= mps2::kNoInitSize);
/// Added to the address of non-secure memory, it is the secure world's.
constexpr std::uint32_t kSecureAlias = 0x1000'0000;

const mps2::Board* find_mps2(std::string_view name) {
  const auto found = std::ranges::find(mps2::kBoards, name, &mps2::Board::name);
  return found == mps2::kBoards.end() ? nullptr : &*found;
}

/// By its name in the boot report.
const flash::Partition* slot_named(std::string_view name) {
  if (name == "A") return &flash::kSlotA;
  if (name == "B") return &flash::kSlotB;
  return name == "recovery" ? &flash::kRecovery : nullptr;
}

}  // namespace

Result<std::unique_ptr<QemuMachine>> QemuMachine::create(const lab::Board& board,
                                                         const lab::BuildProducts& products,
                                                         const std::string& folder) {
  if (find_mps2(board.name) == nullptr) {
    return fail(ExitCode::kUsage, fmt::format("{} needs a new QEMU for each boot: its chip is read when QEMU "
                                              "starts.",
                                              board.name));
  }
  const auto elf = read_file(products.bootloader_elf);
  if (!elf) return tl::unexpected(elf.error());
  auto rom = image::payload_from_elf(*elf, board.boot_rom.address, board.boot_rom.size);
  if (!rom) return tl::unexpected(rom.error());
  auto flash = MachineFlash::create(flash::kControllerPart, folder);
  if (!flash) return tl::unexpected(flash.error());
  return std::unique_ptr<QemuMachine>(
      new QemuMachine(board, products, folder, std::move(*flash), std::move(*rom)));
}

QemuMachine::QemuMachine(const lab::Board& board, const lab::BuildProducts& products, std::string folder,
                         MachineFlash flash, std::vector<std::uint8_t> rom)
    : board_(board),
      plugin_path_(products.flash_plugin),
      folder_(std::move(folder)),
      memory_(memory_of(board)),
      flash_(std::move(flash)),
      rom_(std::move(rom)) {}

QemuMachine::Memory QemuMachine::memory_of(const lab::Board& board) {
  const mps2::Board& hardware = *find_mps2(board.name);
  const std::uint32_t load_memory = mps2::kLoadAddress + (hardware.has_trustzone ? kSecureAlias : 0);
  return {.flash_window = hardware.flash_window,
          .rom = board.boot_rom.address,
          .load_memory = load_memory,
          .lost_at_power_off = {mps2::kept_address(hardware), load_memory}};
}

Result<void> QemuMachine::start() {
  const auto files = flash_.files(1, QemuProcess::wake_path(folder_));
  auto arguments = flash_file::qemu_arguments({.window_path = files.window_path,
                                               .window_address = memory_.flash_window,
                                               .plugin_path = plugin_path_,
                                               .op_log_path = files.op_log_path,
                                               .fault_path = files.fault_path,
                                               .wake_path = files.wake_path,
                                               .seed = files.seed});
  arguments.insert(arguments.end(), {"-machine", fmt::format("{},memory-backend={}", board_.name,
                                                             flash_file::kMemoryBackendId)});
  auto process = QemuProcess::start({.arguments = std::move(arguments), .folder = folder_});
  if (!process) return tl::unexpected(process.error());
  process_ = std::move(*process);
  boots_ = 0;
  boots_unchecked_ = 0;
  return process_->write(memory_.rom, rom_);
}

/// Bytes of the image that runs, by its header in flash. 0: none.
std::size_t QemuMachine::started_size(const Boot& boot) const {
  const std::string* const line = last_start(boot.lines);
  if (line == nullptr) return 0;
  const flash::Partition* const slot = slot_named(report_field(*line, " slot="));
  if (slot == nullptr) return 0;
  const auto info = image::parse(flash_.window().subspan(slot->offset, slot->size));
  return info ? info->total_size : 0;
}

/// Out of reset the processor sees the ROM, and load memory as the boot has left it.
Result<void> QemuMachine::look_at(Boot& boot) {
  ++boots_unchecked_;
  const bool shows_image = boots_++ % kBootsForEachImage == 0;
  const bool checks_rom = boots_unchecked_ >= kBootsBetweenChecks;
  if (!shows_image && !checks_rom) return {};
  if (auto reset = process_->reset(); !reset) return reset;
  if (shows_image) {
    auto loaded = process_->read(memory_.load_memory, started_size(boot));
    if (!loaded) return tl::unexpected(loaded.error());
    loaded_ = std::move(*loaded);
    boot.loaded = loaded_;
  }
  if (!checks_rom) return {};
  const auto written = has_written_rom();
  if (!written) return tl::unexpected(written.error());
  boot.has_written_rom = *written;
  return {};
}

Result<bool> QemuMachine::has_written_rom() {
  if (!process_ || boots_unchecked_ == 0) return false;
  boots_unchecked_ = 0;
  if (auto reset = process_->reset(); !reset) return tl::unexpected(reset.error());
  const auto is_intact = process_->holds(memory_.rom, rom_);
  if (!is_intact) return tl::unexpected(is_intact.error());
  if (!*is_intact) process_.reset();  // it would act on all boots to come
  return !*is_intact;
}

Result<Boot> QemuMachine::boot(flash::CellState& cells, std::uint64_t seed) {
  auto boot = boot_once(cells, seed);
  if (!boot) process_.reset();
  return boot;
}

Result<Boot> QemuMachine::boot_once(flash::CellState& cells, std::uint64_t seed) {
  // A new plugin draws marginal bits at its start, and the host for every boot: it would have drawn twice.
  if (!process_) {
    if (auto blank = flash_.prepare(flash::CellState{}); !blank) return tl::unexpected(blank.error());
    if (auto started = start(); !started) return tl::unexpected(started.error());
  }
  if (auto on = flash_.power_on(cells, seed); !on) return tl::unexpected(on.error());
  if (auto reset = process_->reset(); !reset) return tl::unexpected(reset.error());
  constexpr std::array<std::uint8_t, kLostBytes> kNothing{};
  for (const std::uint32_t address : memory_.lost_at_power_off) {
    if (auto lost = process_->write(address, kNothing); !lost) return tl::unexpected(lost.error());
  }

  BootTranscript transcript;
  process_->run([&transcript](std::string_view line) { transcript.take(line); });
  const auto is_over = [&transcript] { return transcript.is_over() || transcript.resets() > kMaxResets; };
  if (auto over = process_->wait_until(is_over, "the application's first line", ExitCode::kFailed); !over) {
    Error error = over.error();
    error.hint = transcript.text() + (error.hint.empty() ? "" : "\n" + error.hint);
    return tl::unexpected(std::move(error));
  }
  if (!transcript.is_over())
    return fail(ExitCode::kFailed, "the device goes on resetting.", transcript.text());
  if (auto stopped = process_->stop(); !stopped) return tl::unexpected(stopped.error());
  auto operations = flash_.take(cells);
  if (!operations) return tl::unexpected(operations.error());
  Boot boot{.lines = transcript.take_lines(),
            .operations = std::move(*operations),
            .reached_application = transcript.reached_application()};
  if (auto looked = look_at(boot); !looked) return tl::unexpected(looked.error());
  return boot;
}

Result<std::unique_ptr<BootMachine>> make_qemu_machine(const lab::Board& board,
                                                       const lab::BuildProducts& products,
                                                       const std::string& folder) {
  if (find_mps2(board.name) != nullptr) return QemuMachine::create(board, products, folder);
  return FreshQemuMachine::create(board, products, folder);
}

}  // namespace otasim::sweep
