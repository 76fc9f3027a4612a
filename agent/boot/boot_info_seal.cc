#include "agent/boot/boot_info_seal.h"

#include <cstddef>
#include <span>
#include <type_traits>

#include "pal_sim/flash/crc32.h"

namespace boot {
namespace {

static_assert(std::is_trivially_copyable_v<BootInfo>);
static_assert(offsetof(BootInfo, crc32) + sizeof(BootInfo::crc32) == sizeof(BootInfo));

std::uint32_t check_value(const BootInfo& info) {
  return flash::crc32({reinterpret_cast<const std::uint8_t*>(&info), offsetof(BootInfo, crc32)});
}

}  // namespace

void seal(BootInfo& info) {
  info.magic = BootInfo::kMagic;
  info.crc32 = check_value(info);
}

bool is_sealed(const BootInfo& info) {
  return info.magic == BootInfo::kMagic && info.crc32 == check_value(info);
}

}  // namespace boot
