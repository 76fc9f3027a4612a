#include "sim/lab/board_fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <functional>
#include <string>

#include "agent/boot/image_format.h"
#include "pal_sim/flash/flash_map.h"
#include "sim/image/arm_attributes.h"
#include "sim/image/elf.h"

namespace otasim::lab {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool has_arch(const Cpu& cpu, const image::ArmAttributes& program) {
  switch (program.cpu_arch) {
    case image::kArchV6M:
    case image::kArchV6SM:
      return true;
    case image::kArchV7:
      return program.cpu_profile == 'M';
    case image::kArchV7EM:
      return cpu.arch == image::kArchV7EM;
    case image::kArchV8MBase:
    case image::kArchV8MMain:
      return cpu.arch == image::kArchV8MMain;
    default:
      return false;
  }
}

/// A program without attributes says nothing that could be wrong.
Result<void> check_cpu(Bytes elf, const Board& board) {
  const auto program = image::arm_attributes(elf);
  if (!program || (has_arch(board.cpu, *program) && program->fp_arch <= board.cpu.fp_arch)) return {};
  return fail(ExitCode::kUsage, fmt::format("the program was compiled for {}, and {} has a {}",
                                            image::to_string(*program), board.name, board.cpu.name));
}

std::uint32_t word_at(Bytes bytes, std::size_t offset) {
  std::uint32_t word = 0;
  if (bytes.size() >= offset + sizeof(word)) std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

/// The first two words of a vector table: where the stack begins, and where the program does.
Result<void> check_vectors(Bytes payload, const Board& board) {
  const std::uint32_t stack = word_at(payload, 0);
  const std::uint64_t ram_end = std::uint64_t{board.ram.address} + board.ram.size;
  if (stack <= board.ram.address || stack > ram_end) {
    return fail(
        ExitCode::kUsage,
        fmt::format("the application's stack begins at {:#010x}, and its RAM on {} is {:#010x}..{:#010x}",
                    stack, board.name, board.ram.address, ram_end));
  }
  const std::uint32_t base = board.load_address + boot::image::kDefaultHeaderSize;
  const std::uint32_t start = word_at(payload, 4);
  if (start % 2 == 1 && start >= base && start - base < payload.size()) return {};
  return fail(
      ExitCode::kUsage,
      fmt::format("the application begins at {:#010x}, which is no place of its own: it has no vector table "
                  "at {:#010x}",
                  start, base));
}

Result<std::vector<std::uint8_t>> payload_for(Bytes elf, const Board& board) {
  if (auto runs = check_cpu(elf, board); !runs) return tl::unexpected(runs.error());
  auto payload = image::payload_from_elf(elf, board.load_address + boot::image::kDefaultHeaderSize,
                                         flash::kSlotSize - boot::image::kDefaultHeaderSize);
  if (!payload) return payload;
  if (auto starts = check_vectors(*payload, board); !starts) return tl::unexpected(starts.error());
  return payload;
}

Result<void> bootloader_for(Bytes elf, const Board& board) {
  if (auto runs = check_cpu(elf, board); !runs) return runs;
  const auto loaded = image::loaded_range(elf);
  if (!loaded) return tl::unexpected(loaded.error());
  const std::uint64_t rom_end = std::uint64_t{board.boot_rom.address} + board.boot_rom.size;
  if (loaded->begin >= board.boot_rom.address && loaded->end <= rom_end) return {};
  return fail(ExitCode::kUsage,
              fmt::format("the bootloader is loaded to {:#010x}..{:#010x}, and the boot ROM of {} is "
                          "{:#010x}..{:#010x}",
                          loaded->begin, loaded->end, board.name, board.boot_rom.address, rom_end));
}

/// Puts into the hint which boards the program would fit.
template <typename Fits>
Error with_hint(Error error, const Board& board, Fits fits) {
  std::vector<std::string_view> names;
  for (const Board& other : boards())
    if (other.name != board.name && fits(other)) names.push_back(other.name);
  error.hint = names.empty() ? std::string(
                                   "It fits none of otasim's boards. docs/porting.md says what a program for "
                                   "one has to be like.")
                             : fmt::format("It would fit: {} (--board).", fmt::join(names, ", "));
  return error;
}

}  // namespace

Result<std::vector<std::uint8_t>> application_payload(Bytes elf, const Board& board) {
  auto payload = payload_for(elf, board);
  if (payload) return payload;
  return tl::unexpected(with_hint(std::move(payload.error()), board,
                                  [elf](const Board& other) { return payload_for(elf, other).has_value(); }));
}

Result<void> check_bootloader(Bytes elf, const Board& board) {
  auto fitting = bootloader_for(elf, board);
  if (fitting) return fitting;
  return tl::unexpected(with_hint(std::move(fitting.error()), board, [elf](const Board& other) {
    return bootloader_for(elf, other).has_value();
  }));
}

}  // namespace otasim::lab
