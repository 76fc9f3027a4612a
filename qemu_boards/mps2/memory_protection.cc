// Memory protection (ARMv7-M MPU). From the bootloader's first steps on the boot ROM and the flash array are
// read-only to the CPU, and code is never fetched from flash. Until an image is confirmed nothing but the ROM
// is executed at all: a processor gone astray among the bytes of an image faults instead of running them.
// During a trial nobody reaches the watchdog. Everything else keeps its default attributes. The MPU is off
// again after a reset.
#include <array>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/registers.h"
#include "qemu_boards/mps2/this_board.h"

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

/// A region of 2^n bytes, aligned to its size.
struct Region {
  std::uint32_t address;
  std::uint32_t log2_size;
  std::uint32_t attributes;
};

/// Their numbers: where two overlap, the higher one counts.
enum RegionNumber : std::uint32_t {
  kCodeMemory = 0,  ///< ROM and load memory; only until an image is confirmed
  kRom = 1,
  kDataMemory = 2,  ///< only until an image is confirmed
  kFlashWindow = 3,
  kFlashRegisters = 4,
  kCodeMemoryMirror = 5,
  kDataMemoryMirror = 6,
  kTrialWatchdog = 7,  ///< only during a trial
};

constexpr std::uint32_t kRegistersAddress = mps2::kBoard.flash_window + flash::kRegistersOffset;
constexpr std::array<Region, 7> kRegions{{
    {mps2::kRomAddress, 22, kReadWrite | kExecuteNever | kNormalMemory},
    {mps2::kRomAddress, 18, kReadOnly | kNormalMemory},
    {mps2::kRamAddress, 22, kReadWrite | kExecuteNever | kNormalMemory},
    {mps2::kBoard.flash_window, 24, kReadOnly | kExecuteNever | kNormalMemory},
    {kRegistersAddress, 13, kReadWrite | kExecuteNever | kDeviceMemory},
    // Both memories are seen a second time behind themselves.
    {mps2::kRomAddress + mps2::kMemorySize, 22, kNoAccess | kExecuteNever | kNormalMemory},
    {mps2::kRamAddress + mps2::kMemorySize, 22, kNoAccess | kExecuteNever | kNormalMemory},
}};
constexpr Region kWatchdogOutOfReach{mps2::kBoard.watchdog, 12, kNoAccess | kExecuteNever | kDeviceMemory};
static_assert(mps2::kLoadAddress + mps2::kLoadSize == 1U << 22 && mps2::kRomSize == 1U << 18 &&
                  mps2::kRamSize == 1U << 22 && flash::kWindowSize == 1U << 24,
              "regions must cover what they protect");
static_assert(kRegistersAddress % (1U << 13) == 0, "an MPU region is aligned to its size");

void set_region(std::uint32_t number, const Region& region) {
  mps2::reg(mps2::kMpuRegionNumber) = number;
  mps2::reg(mps2::kMpuRegionBase) = region.address;
  mps2::reg(mps2::kMpuRegionAttributes) = region.attributes | ((region.log2_size - 1) << 1) | kRegionEnable;
}

void clear_region(std::uint32_t number) {
  mps2::reg(mps2::kMpuRegionNumber) = number;
  mps2::reg(mps2::kMpuRegionAttributes) = 0;
}

}  // namespace

namespace board {

void protect_memory() {
  for (std::uint32_t number = 0; number < kRegions.size(); ++number) set_region(number, kRegions[number]);
  mps2::reg(mps2::kMpuControl) = kMpuEnable | kAlsoInFaultHandlers | kDefaultMapElsewhere;
  mps2::data_barrier();
}

void open_memory(bool is_trial) {
  if (is_trial) set_region(kTrialWatchdog, kWatchdogOutOfReach);
  clear_region(kCodeMemory);
  clear_region(kDataMemory);
  mps2::data_barrier();
}

void end_trial() {
  clear_region(kTrialWatchdog);
  mps2::data_barrier();
  watchdog_stop();
}

}  // namespace board
