// Memory protection: what no program may store to, the application included, until the next reset or until
// somebody with privilege turns the MPU off (see docs/boot.md).
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/boards.h"
#include "qemu_boards/mps2/registers.h"

namespace mps2 {
namespace {

// RASR fields.
constexpr std::uint32_t kNeverExecute = 1U << 28;
constexpr std::uint32_t kReadOnly = 0b110U << 24;
constexpr std::uint32_t kReadWrite = 0b011U << 24;
constexpr std::uint32_t kNormalMemory = 0b001U << 19;  // not cacheable
constexpr std::uint32_t kRegionEnable = 1;

constexpr std::uint32_t kMpuEnable = 1U << 0;
constexpr std::uint32_t kPrivilegedDefault = 1U << 2;

struct Region {
  std::uint32_t base;
  std::uint32_t size_log2;
  std::uint32_t attributes;

  [[nodiscard]] constexpr std::uint32_t size() const { return 1U << size_log2; }
};

constexpr std::uint32_t kControllerBase = kBoard.flash_window + flash::kRegistersOffset;

// Where regions overlap, the later one counts.
constexpr Region kRegions[] = {
    {kBoard.boot_rom, 18, kReadOnly | kNormalMemory},
    {kBoard.flash_window, 24, kReadOnly | kNormalMemory | kNeverExecute},
    {kControllerBase, 13, kReadWrite | kNormalMemory | kNeverExecute},
};
static_assert(kRegions[0].size() == kBootRomSize);
static_assert(kRegions[1].size() == flash::kWindowSize && kRegions[1].base % kRegions[1].size() == 0);
static_assert(kRegions[2].size() == flash::kWindowSize - flash::kRegistersOffset);
static_assert(kRegions[2].base % kRegions[2].size() == 0);

}  // namespace
}  // namespace mps2

namespace board {

void protect_memory() {
  using namespace mps2;
  std::uint32_t number = 0;
  for (const Region& region : kRegions) {
    reg(scs::kMpuRegion) = number++;
    reg(scs::kMpuBase) = region.base;
    reg(scs::kMpuAttributes) = region.attributes | (region.size_log2 - 1) << 1 | kRegionEnable;
  }
  reg(scs::kMpuControl) = kPrivilegedDefault | kMpuEnable;
  data_barrier();
  instruction_barrier();
}

}  // namespace board
