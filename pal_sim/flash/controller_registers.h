// The flash controller's programming model: the contract between a board's flash driver and whatever plays
// the controller (the QEMU plugin on the mps2 boards).
//
// The registers and the page buffer are the last 8 KiB of the memory-mapped flash window. To run a command
// the driver writes its operands, writes COMMAND, executes the doorbell instruction, and reads STATUS. The
// command is complete when the instruction after the doorbell runs, unless the part takes its time. Stores
// outside the registers and the page buffer are not flash operations; a driver never makes them.
//
//   program   copy data into the page buffer; OFFSET, LENGTH; COMMAND = kProgram; doorbell; STATUS
//   erase     OFFSET; COMMAND = kEraseSector or kEraseBlock; doorbell; STATUS
//
// A part may take time (kRegBusyLeft): STATUS then reads kBusy when the instruction after the doorbell runs,
// and the command's own status later. Its cells have changed by then; the driver reads STATUS until it is
// ready. A command that is rung meanwhile is not carried out: STATUS goes on reading kBusy, and then
// kBadCommand.
#pragma once

#include <cstdint>

#include "pal_sim/flash/flash_map.h"

namespace flash::controller {

/// Register offsets from `kRegistersOffset`; each is a 32-bit little-endian word.
enum Register : std::uint32_t {
  kRegId = 0x00,          ///< read-only, `kId`
  kRegVersion = 0x04,     ///< read-only, `kVersion`
  kRegCommand = 0x08,     ///< a `Command`
  kRegStatus = 0x0C,      ///< a `flash::Status`, written by the controller
  kRegOffset = 0x10,      ///< first byte, from the array's (or the OTP bank's) start
  kRegLength = 0x14,      ///< bytes; for kProgram, kOtpProgram and kEntropy at most a page
  kRegSequence = 0x18,    ///< read-only, operations accepted since the part was made
  kRegBlockSize = 0x1C,   ///< read-only geometry, bytes
  kRegArraySize = 0x20,   ///< read-only
  kRegSectorSize = 0x24,  ///< read-only
  kRegPageSize = 0x28,    ///< read-only
  kRegOtpSize = 0x2C,     ///< read-only
  // Locks live in the window so that a snapshot of it is the whole state of the part.
  kRegOtpLocked = 0x30,  ///< 1 when the OTP bank is locked until reset
  kRegLockCount = 0x34,  ///< lock entries in use
  kRegEntropyCount =
      0x38,               ///< read-only, entropy commands served; with the seed it determines the next bytes
  kRegFeatures = 0x3C,    ///< read-only, `Feature` bits
  kRegLocks = 0x40,       ///< kMaxLocks pairs {offset, length}
  kRegBusyLeft = 0x80,    ///< instructions until the part is ready; 0: it is
  kRegBusyStatus = 0x84,  ///< what STATUS reads then
};

inline constexpr std::uint32_t kMaxLocks = 8;
inline constexpr std::uint32_t kId = 0x4346'544F;  // "OTFC" in memory
inline constexpr std::uint32_t kVersion = 3;

enum Feature : std::uint32_t {
  kFeatureLocks = 1U << 0,    ///< Geometry::has_locks
  kFeatureFuses = 1U << 1,    ///< Geometry::has_fuses
  kFeatureEntropy = 1U << 2,  ///< Geometry::has_entropy
};

/// What kRegFeatures reads of a part.
[[nodiscard]] constexpr std::uint32_t features_of(const Geometry& part) {
  std::uint32_t features = 0;
  if (part.has_locks) features |= kFeatureLocks;
  if (part.has_fuses) features |= kFeatureFuses;
  if (part.has_entropy) features |= kFeatureEntropy;
  return features;
}

enum Command : std::uint32_t {
  kNone = 0,
  kProgram = 1,
  kEraseSector = 2,
  kOtpProgram = 3,
  kLock = 4,     ///< lock [OFFSET, OFFSET + LENGTH) until reset
  kOtpLock = 5,  ///< lock the OTP bank until reset
  kEntropy = 6,  ///< fill LENGTH bytes of the page buffer
  kEraseBlock = 7,
};

/// The doorbell: a 32-bit hint instruction with no effect on a real core, as it stands in memory
/// (halfwords f3af 80a5).
inline constexpr std::uint16_t kDoorbellHalfword0 = 0xF3AF;
inline constexpr std::uint16_t kDoorbellHalfword1 = 0x80A5;

}  // namespace flash::controller
