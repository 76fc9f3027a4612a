// Which world may reach what: SAU, memory and peripheral protection, interrupts, and the secure world's own
// MPU.
//
// protect_memory() runs first of all and sets what the bootloader itself lives with: the addresses of devices
// and of flash that are non-secure are so for it, too, and reach the devices that are given away. The
// application's memories stay secure until open_memory(), so that the bootloader loads and verifies the image
// where nobody else is. A reset of the machine clears all of this.
#include <array>

#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/trustzone/memory_map.h"
#include "qemu_boards/mps2/trustzone/registers.h"
#include "qemu_boards/mps2/trustzone/secure_world.h"

namespace {

using armv7m::reg;

// --- SAU: everything that no region names is secure.

struct SauRegion {
  std::uint32_t begin;
  std::uint32_t end;
  bool is_callable = false;  ///< secure, and the application may call into it
};

constexpr std::array<SauRegion, 5> kSauRegions{{
    {mps2::kLoadAddress, mps2::kLoadAddress + mps2::kLoadSize},
    {mps2::kGatewayAddress, mps2::kSecureRomAddress + mps2::kSecureRomSize, true},
    {mps2::kApplicationRamAddress, mps2::kApplicationRamAddress + mps2::kApplicationRamSize},
    // Devices, all but the non-secure watchdog: the application could reset the board with it.
    {0x4000'0000, 0x4008'1000},
    {0x4008'2000, 0x5000'0000},
}};

constexpr std::uint32_t kSauEnable = 1;
constexpr std::uint32_t kSauRegionEnable = 1U << 0;
constexpr std::uint32_t kSauRegionCallable = 1U << 1;

void set_sau() {
  for (std::uint32_t i = 0; i < kSauRegions.size(); ++i) {
    const SauRegion& region = kSauRegions[i];
    reg(mps2::kSauRegionNumber) = i;
    reg(mps2::kSauRegionBase) = region.begin;
    reg(mps2::kSauRegionLimit) =
        (region.end - 32) | kSauRegionEnable | (region.is_callable ? kSauRegionCallable : 0);
  }
  reg(mps2::kSauControl) = kSauEnable;
  armv7m::data_barrier();
}

// --- Peripheral protection controllers: what is not given away reads 0 in the non-secure world.

void give_devices_away() {
  constexpr std::uint32_t kUart0 = 1U << 5;
  constexpr std::uint32_t kFpgaIo = 1U << 2;
  constexpr std::uint32_t kEthernet = 1U << 5;
  constexpr std::uint32_t kCodeMemoryHasGateway = 1U << 0;
  constexpr std::uint32_t kBusError = 1U << 0;
  reg(mps2::kNonSecureApbExpansion1) = kUart0;
  reg(mps2::kNonSecureApbExpansion2) = kFpgaIo;
  reg(mps2::kNonSecureAhbExpansion0) = kEthernet;
  reg(mps2::kNonSecureCallable) = kCodeMemoryHasGateway;
  reg(mps2::kErrorResponse) = kBusError;
}

// --- Memory protection controllers: a 1 in a word of the look-up table gives 1 KiB away.

constexpr std::uint32_t kMpcControl = 0x00;
constexpr std::uint32_t kMpcBlockMax = 0x10;
constexpr std::uint32_t kMpcBlockConfig = 0x14;
constexpr std::uint32_t kMpcBlockIndex = 0x18;
constexpr std::uint32_t kMpcBlockTable = 0x1C;
constexpr std::uint32_t kMpcBusError = 1U << 4;

/// Gives the memory away from `first` on.
void give_memory_away(std::uint32_t controller, std::uint32_t first) {
  const std::uint32_t word_covers = 32U << ((reg(controller + kMpcBlockConfig) & 0xFU) + 5);
  reg(controller + kMpcControl) = kMpcBusError;
  for (std::uint32_t i = 0; i <= reg(controller + kMpcBlockMax); ++i) {
    reg(controller + kMpcBlockIndex) = i;
    reg(controller + kMpcBlockTable) = i * word_covers >= first ? 0xFFFF'FFFF : 0;
  }
  armv7m::data_barrier();
}

// --- MPU of the secure world: nothing but the ROM is ever executed by it, and ROM and flash array are
// read-only.

constexpr std::uint32_t kExecuteNever = 1U << 0;
constexpr std::uint32_t kReadWrite = 0U << 1;     // privileged
constexpr std::uint32_t kReadOnly = 2U << 1;      // privileged
constexpr std::uint32_t kNormalMemory = 0U << 1;  // index of kAttributes
constexpr std::uint32_t kDeviceMemory = 1U << 1;
constexpr std::uint32_t kRegionEnable = 1U << 0;
constexpr std::uint32_t kAttributes = 0x0044;  // 0: normal, not cached; 1: device
constexpr std::uint32_t kMpuEnable = 1U << 0;
constexpr std::uint32_t kAlsoInFaultHandlers = 1U << 1;
constexpr std::uint32_t kDefaultMapElsewhere = 1U << 2;

struct MpuRegion {
  std::uint32_t begin;
  std::uint32_t end;
  std::uint32_t access;
  std::uint32_t memory;
};

constexpr std::uint32_t kWindow = mps2::kBoard.flash_window;
constexpr std::uint32_t kSecureRomEnd = mps2::kSecureRomAddress + mps2::kSecureRomSize;
constexpr std::array<MpuRegion, 6> kMpuRegions{{
    {mps2::kSecureRomAddress, kSecureRomEnd, kReadOnly, kNormalMemory},
    {kSecureRomEnd, 0x2000'0000, kReadWrite | kExecuteNever, kNormalMemory},
    {0x2000'0000, 0x4000'0000, kReadWrite | kExecuteNever, kNormalMemory},  // all RAM, at both addresses
    {kWindow, kWindow + flash::kRegistersOffset, kReadOnly | kExecuteNever, kNormalMemory},
    {kWindow + flash::kRegistersOffset, kWindow + flash::kWindowSize, kReadWrite | kExecuteNever,
     kDeviceMemory},
    {mps2::kCodeMemoryAddress, mps2::kSecureRomAddress, kReadWrite | kExecuteNever, kNormalMemory},
}};

void set_mpu_region(std::uint32_t number, const MpuRegion& region) {
  reg(armv7m::kMpuRegionNumber) = number;
  reg(armv7m::kMpuRegionBase) = region.begin | region.access;
  reg(mps2::kMpuRegionLimit) = (region.end - 32) | region.memory | kRegionEnable;
}

void set_secure_mpu() {
  reg(mps2::kMpuAttributes0) = kAttributes;
  for (std::uint32_t i = 0; i < kMpuRegions.size(); ++i) set_mpu_region(i, kMpuRegions[i]);
  reg(armv7m::kMpuControl) = kMpuEnable | kAlsoInFaultHandlers | kDefaultMapElsewhere;
  armv7m::data_barrier();
}

}  // namespace

namespace board {

void protect_memory() {
  give_devices_away();
  set_sau();
  set_secure_mpu();
}

void open_memory(bool /*is_trial*/) {
  // The watchdog needs no more: it is the secure world's, on trial or not.
  give_memory_away(mps2::kCodeMemoryProtection, mps2::kLoadAddress - mps2::kCodeMemoryAddress);
  give_memory_away(mps2::kApplicationRamProtection, 0);
}

}  // namespace board

namespace mps2 {

void give_interrupts_away() {
  // SysTick and the faults have a copy in each world.
  constexpr std::uint32_t kUart0 = 1U << 0 | 1U << 1 | 1U << 10;  // 32, 33, 42
  constexpr std::uint32_t kEthernet = 1U << (kBoard.ethernet_irq - 32);
  armv7m::reg(kInterruptTargets + 4) = kUart0 | kEthernet;
  armv7m::data_barrier();
}

}  // namespace mps2
