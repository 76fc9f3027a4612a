// Memory protection (ARMv7-M MPU). From the bootloader's first steps on the boot ROM and the flash array are
// read-only to the CPU, and code is never fetched from flash. Until an image is confirmed nothing but the ROM
// is executed at all: a processor gone astray among the bytes of an image faults instead of running them.
// During a trial nobody reaches the watchdog. Everything else keeps its default attributes. The MPU is off
// again after a reset.
#include <array>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/mpu.h"
#include "qemu_boards/mps2/this_board.h"

namespace {

using armv7m::kDeviceMemory;
using armv7m::kExecuteNever;
using armv7m::kNoAccess;
using armv7m::kNormalMemory;
using armv7m::kReadOnly;
using armv7m::kReadWrite;
using armv7m::Region;

/// Their numbers: where two overlap, the higher one counts.
enum RegionNumber : std::uint32_t {
  kCodeMemory = 0,         ///< ROM and load memory; only until an image is confirmed
  kTrialWatchdogBits = 0,  ///< only during a trial, which comes after
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

}  // namespace

namespace board {

void protect_memory() {
  armv7m::set_regions(kRegions);
  armv7m::enable_mpu();
}

void open_memory(bool is_trial) {
  armv7m::clear_region(kCodeMemory);
  armv7m::clear_region(kDataMemory);
  if (is_trial) {
    armv7m::set_region(kTrialWatchdog, kWatchdogOutOfReach);
    armv7m::set_region(kTrialWatchdogBits, armv7m::bit_band_alias(kWatchdogOutOfReach));
  }
  armv7m::data_barrier();
}

void end_trial() {
  armv7m::clear_region(kTrialWatchdog);
  armv7m::clear_region(kTrialWatchdogBits);
  armv7m::data_barrier();
  watchdog_stop();
}

}  // namespace board
