#include "sim/debug/doorbells.h"

#include <string_view>
#include <vector>

#include "pal_sim/flash/controller_registers.h"
#include "sim/image/elf.h"

namespace otasim::debug {
namespace {

constexpr std::uint32_t kLargestProgram = 16U << 20U;
constexpr std::size_t kInstructionAlignment = 2;

}  // namespace

std::string doorbell_code() {
  std::string code;
  for (const std::uint16_t half :
       {flash::controller::kDoorbellHalfword0, flash::controller::kDoorbellHalfword1}) {
    code += static_cast<char>(half & 0xFF);
    code += static_cast<char>(half >> 8);
  }
  return code;
}

Result<std::set<std::uint32_t>> doorbells_in(std::span<const std::uint8_t> elf) {
  const auto range = image::loaded_range(elf);
  if (!range) return tl::unexpected(range.error());
  const auto loaded = image::payload_from_elf(elf, range->begin, kLargestProgram);
  if (!loaded) return tl::unexpected(loaded.error());
  const std::string_view bytes(reinterpret_cast<const char*>(loaded->data()), loaded->size());
  const std::string code = doorbell_code();
  std::set<std::uint32_t> addresses;
  for (std::size_t at = bytes.find(code); at != std::string_view::npos; at = bytes.find(code, at + 1)) {
    if (at % kInstructionAlignment == 0) addresses.insert(range->begin + static_cast<std::uint32_t>(at));
  }
  return addresses;
}

}  // namespace otasim::debug
