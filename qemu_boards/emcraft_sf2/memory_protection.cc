// Memory protection (ARMv7-M MPU). From the bootloader's first steps on the boot ROM is read-only to the CPU,
// and nothing but the ROM is executed: a processor gone astray among the bytes of an image faults instead of
// running them. When an image is confirmed, load memory becomes executable; the DDR's default attributes
// would not let code be fetched from there at all. During a trial nobody reaches the heartbeat line.
// Everything else keeps its default attributes. The MPU is off again after a reset.
//
// The flash chip is no memory of the CPU, and its controller's registers are needed by applications: no
// region protects what stands in it.
#include "qemu_boards/common/mpu.h"

#include <array>

#include "qemu_boards/common/board.h"
#include "qemu_boards/emcraft_sf2/memory_map.h"

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
  kDdr = 0,
  kRom = 1,
  kRomAtHome = 2,
  kRam = 3,
  kLoadMemory = 4,         ///< only from when an image is confirmed
  kTrialWatchdog = 5,      ///< only during a trial
  kTrialWatchdogBits = 6,  ///< the same
};

constexpr std::array<Region, 4> kRegions{{
    {emcraft_sf2::kDdrAddress, 26, kReadWrite | kExecuteNever | kNormalMemory},
    {emcraft_sf2::kRomAddress, 18, kReadOnly | kNormalMemory},
    {emcraft_sf2::kRomHome, 18, kReadOnly | kExecuteNever | kNormalMemory},
    {emcraft_sf2::kRamAddress, 16, kReadWrite | kExecuteNever | kNormalMemory},
}};
constexpr Region kLoadMemoryExecutable{emcraft_sf2::kDdrAddress, 22, kReadWrite | kNormalMemory};
constexpr Region kWatchdogOutOfReach{emcraft_sf2::kUart1, 12, kNoAccess | kExecuteNever | kDeviceMemory};
static_assert(emcraft_sf2::kDdrSize == 1U << 26 && emcraft_sf2::kRomSize == 1U << 18 &&
                  emcraft_sf2::kRamSize == 1U << 16 &&
                  emcraft_sf2::kLoadAddress + emcraft_sf2::kLoadSize == emcraft_sf2::kDdrAddress + (1U << 22),
              "regions must cover what they protect");

}  // namespace

namespace board {

void protect_memory() {
  armv7m::set_regions(kRegions);
  armv7m::enable_mpu();
}

void open_memory(bool is_trial) {
  if (is_trial) {
    armv7m::set_region(kTrialWatchdog, kWatchdogOutOfReach);
    armv7m::set_region(kTrialWatchdogBits, armv7m::bit_band_alias(kWatchdogOutOfReach));
  }
  armv7m::set_region(kLoadMemory, kLoadMemoryExecutable);
  armv7m::data_barrier();
}

void end_trial() {
  armv7m::clear_region(kTrialWatchdog);
  armv7m::clear_region(kTrialWatchdogBits);
  armv7m::data_barrier();
  watchdog_stop();
}

}  // namespace board
