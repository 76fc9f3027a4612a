// What the probe tries against the secure world, on boards that have one. Chosen as its other tasks are
// (probe_task.h), by numbers from kFirstAttempt on.
//
//   probe: result ...        what came of it; then the device idles
//   board: fault at ...      the secure world ended it
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/boot/boot_info.h"
#include "tests/qemu_boards/device/probe_task.h"

namespace probe {

inline constexpr std::uint32_t kFirstAttempt = 1000;

/// Accesses: kFirstRead + n reads kForbidden[n], kFirstWrite + n writes it.
inline constexpr std::uint32_t kFirstRead = 1000;
inline constexpr std::uint32_t kFirstWrite = 1200;

enum class Attempt : std::uint32_t {
  kCallPastTheGateway = 1400,  ///< an address in the middle of the secure world's code
  kCallBehindSg,               ///< the gateway's veneer, but not its first instruction
  kStackInSecureMemory,        ///< an exception is to push its frame there
  kForgedExceptionReturn,      ///< to a secure context that never was
  kForgedFunctionReturn,       ///< to a secure function that never called
  kSilenceTheConsole,          ///< turns the transmitter off with a byte in it, then faults
  kStopWatchdog,
  kEndTrial,
  kStartWatchdog,
  kReadWhatReadsZero,       ///< devices that are not given away, and the secure world's registers
  kRequestReset,            ///< SYSRESETREQ
  kPointersIntoOtherWorld,  ///< every service, with every pointer, at every kind of forbidden place
  kWriteWhatIsNotReceived,  ///< program and erase through the service, everywhere
  kAcceptWhileCommitted,
  kFinishWhatIsThere,   ///< checks and records what stands in the slot that is being received
  kFuzz,                ///< random calls
  kReadSecrets,         ///< through the service, everywhere
  kChangeWithoutStart,  ///< asks for transitions of boot control that it has not had read
  kUseIdentity,         ///< loads the settings and signs, as TLS does
};

struct Place {
  std::string_view name;
  std::uint32_t address;
};

/// At mps2-an505's and an521's addresses (qemu_boards/mps2/README.md). Each faults.
inline constexpr std::array kForbidden{
    Place{"SecureRam", 0x3800'0400},
    Place{"SecureRamAtItsOtherAddress", 0x2800'0400},
    Place{"SecureCode", 0x1000'0100},
    Place{"AddressZero", 0x0000'0000},
    Place{"RomKeys", 0x1003'E810},
    Place{"Gateway", 0x1003'F000},
    Place{"LoadMemoryAtItsSecureAddress", 0x1010'0000},
    Place{"ApplicationRamAtItsSecureAddress", 0x3820'0000},
    Place{"InternalRam", 0x2000'0000},
    Place{"MemoryProtection", 0x5800'7010},
    Place{"SecurityControl", 0x5008'0060},
    Place{"SecureWatchdog", 0x5008'1000},
    Place{"NonSecureWatchdog", 0x4008'1000},
    Place{"SecureUart", 0x5020'0000},
    Place{"Unmapped", 0x4F00'0000},
    Place{"BootControl", 0x8000'0000},
    Place{"Provisioning", 0x8004'0000},
    Place{"Calendar", 0x8002'0000},
    Place{"CommittedSlot", 0x8010'0000},
    Place{"OwnSlot", 0x8040'0000},
    Place{"RecoverySlot", 0x8070'0000},
    Place{"WhatLiesBehindTheSlots", 0x80A0'0000},
    Place{"Otp", 0x80FF'D000},
    Place{"FlashRegisters", 0x80FF'E008},
    Place{"FlashPageBuffer", 0x80FF'F000},
};

/// Tries it, if it is one for an image in this state, and does not come back then.
void try_the_other_world(Task task, const boot::BootInfo& info);

}  // namespace probe
