// Programs (ELF) of a user's: whatever the bytes are, nothing is read or written outside, and what is taken
// is sound.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "sim/image/arm_attributes.h"
#include "sim/image/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t kBase = 0x0010'0200;
  constexpr std::uint32_t kRoom = 64 * 1024;
  const std::span<const std::uint8_t> elf(data, size);
  const auto payload = otasim::image::payload_from_elf(elf, kBase, kRoom);
  if (payload && (payload->empty() || payload->size() > kRoom)) std::abort();
  const auto range = otasim::image::loaded_range(elf);
  if (range && range->begin >= range->end) std::abort();
  // What can be laid out from the base on lies there.
  if (payload && !range) std::abort();
  if (const auto attributes = otasim::image::arm_attributes(elf); attributes)
    if (to_string(*attributes).empty()) std::abort();
  return 0;
}
