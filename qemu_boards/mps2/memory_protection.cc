// Memory protection (ARMv7-M MPU): the boot ROM and the flash array are read-only to the CPU, code is never
// fetched from flash, and during a trial nobody reaches the watchdog. Everything else keeps its default
// attributes. The MPU is off again after a reset.
#include <array>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/memory_map.h"
#include "qemu_boards/mps2/registers.h"

namespace {

constexpr std::uint32_t kExecuteNever = 1U << 28;
constexpr std::uint32_t kNoAccess = 0U << 24;
constexpr std::uint32_t kReadOnly = 6U << 24;
constexpr std::uint32_t kReadWrite = 3U << 24;
constexpr std::uint32_t kNormalMemory = 1U << 17;                 // cacheable, write-through
constexpr std::uint32_t kDeviceMemory = (1U << 18) | (1U << 16);  // shareable, bufferable
constexpr std::uint32_t kRegionEnable = 1U << 0;

constexpr std::uint32_t kMpuEnable = 1U << 0;
constexpr std::uint32_t kAlsoInFaultHandlers =
    1U << 1;  // HFNMIENA: an NMI handler cannot service the watchdog either
constexpr std::uint32_t kDefaultMapElsewhere = 1U << 2;

/// A region of 2^n bytes, aligned to its size. A later region overrides an earlier one.
struct Region {
  std::uint32_t address;
  std::uint32_t log2_size;
  std::uint32_t attributes;
};

constexpr std::uint32_t kRegistersAddress = mps2::kBoard.flash_window + flash::kRegistersOffset;
constexpr std::array<Region, 3> kRegions{{
    {mps2::kRomAddress, 18, kReadOnly | kNormalMemory},
    {mps2::kBoard.flash_window, 24, kReadOnly | kExecuteNever | kNormalMemory},
    {kRegistersAddress, 13, kReadWrite | kExecuteNever | kDeviceMemory},
}};
static_assert(mps2::kRomSize == 1U << 18 && flash::kWindowSize == 1U << 24,
              "regions must cover what they protect");
static_assert(kRegistersAddress % (1U << 13) == 0, "an MPU region is aligned to its size");

constexpr std::uint32_t kWatchdogRegion = kRegions.size();
constexpr Region kWatchdogOutOfReach{mps2::kWatchdog, 12, kNoAccess | kExecuteNever | kDeviceMemory};

void set_region(std::uint32_t number, const Region& region) {
  mps2::reg(mps2::kMpuRegionNumber) = number;
  mps2::reg(mps2::kMpuRegionBase) = region.address;
  mps2::reg(mps2::kMpuRegionAttributes) = region.attributes | ((region.log2_size - 1) << 1) | kRegionEnable;
}

}  // namespace

namespace board {

void protect_memory(bool is_trial) {
  for (std::uint32_t i = 0; i < kRegions.size(); ++i) set_region(i, kRegions[i]);
  if (is_trial) set_region(kWatchdogRegion, kWatchdogOutOfReach);
  mps2::reg(mps2::kMpuControl) = kMpuEnable | kAlsoInFaultHandlers | kDefaultMapElsewhere;
  mps2::data_barrier();
}

void end_trial() {
  mps2::reg(mps2::kMpuRegionNumber) = kWatchdogRegion;
  mps2::reg(mps2::kMpuRegionAttributes) = 0;
  mps2::data_barrier();
  watchdog_stop();
}

}  // namespace board
