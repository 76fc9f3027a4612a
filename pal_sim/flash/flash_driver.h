// The flash device as the device's software sees it: erase sectors, program pages, read.
//
// Used by the bootloader, boot control, the PAL and provisioning. Implemented by a board's driver (which
// talks to the flash controller) and by the native board (which calls the NOR model directly). Offsets
// count from the start of the flash device, never from the CPU's address map.
//
// What can go wrong: every operation reports a status and may fail at any time on a worn part; power may
// fail at any byte. The driver never retries: its callers know what a half-done operation means to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace flash {

/// Outcome of a flash operation. The values are the flash controller's STATUS register. Any operation of a
/// driver may also return kBusy.
enum class Status : std::uint32_t {
  kOk = 0,
  kOutOfRange = 1,     ///< the range leaves the device (or the OTP bank); nothing changed
  kUnaligned = 2,      ///< a program crosses a page, or an erase is not on a sector; nothing changed
  kProtected = 3,      ///< the range is locked until reset; nothing changed
  kProgramFailed = 4,  ///< the part reported a failed program; the page's content is undefined
  kEraseFailed = 5,    ///< the part reported a failed erase; the sector's content is undefined
  kBadCommand = 6,     ///< the controller does not know the command; nothing changed
  kNoDevice = 7,       ///< no flash controller answered at the expected address, or it is another part
  kBusy = 8,  ///< the part was still at it when the driver's patience ended; what it was at is undefined
};

/// A short lower-case word for logs, for example "out-of-range".
[[nodiscard]] const char* to_string(Status status);

/// What kind of part it is: sizes in bytes, and what it can do besides. `size` and `block_size` are multiples
/// of `sector_size`, which is a multiple of `page_size`. What is left of the array behind its last whole
/// block can only be erased by sectors.
struct Geometry {
  std::uint32_t size;         ///< usable array; controller registers and OTP lie beyond it
  std::uint32_t sector_size;  ///< smallest erase unit
  std::uint32_t block_size;   ///< largest erase unit; a sector's if there is no larger one
  std::uint32_t page_size;    ///< largest program unit; a program must not cross a page boundary
  std::uint32_t otp_size;     ///< one-time-programmable bank
  bool has_locks;             ///< ranges and the bank can be locked until reset
  bool has_fuses;             ///< nothing sets the bank's bits again. Without: the bank is ordinary cells,
                              ///< which no driver erases; whoever bypasses the drivers can
  bool has_entropy;           ///< there is an entropy source

  bool operator==(const Geometry&) const = default;
};

class FlashDriver {
 public:
  virtual ~FlashDriver() = default;

  [[nodiscard]] virtual Geometry geometry() const = 0;

  /// Reads `out.size()` bytes. @returns kOk, kOutOfRange (nothing is read), kNoDevice.
  [[nodiscard]] virtual Status read(std::uint32_t offset, std::span<std::uint8_t> out) = 0;

  /// Programs bytes within one page. Bits can only go from 1 to 0, as in NOR flash.
  /// @returns kOk, kOutOfRange, kUnaligned (crosses a page), kProtected, kProgramFailed, kNoDevice.
  [[nodiscard]] virtual Status program(std::uint32_t offset, std::span<const std::uint8_t> data) = 0;

  /// Erases the sector that starts at `offset` to 0xFF.
  /// @returns kOk, kOutOfRange, kUnaligned (not a sector's start), kProtected, kEraseFailed, kNoDevice.
  [[nodiscard]] virtual Status erase_sector(std::uint32_t offset) = 0;

  /// Erases the block that starts at `offset` to 0xFF in one operation. Here: its sectors one by one, as
  /// suits a part without a larger unit, and stops at the first failure.
  /// @returns kOk, kOutOfRange, kUnaligned (not a block's start), kProtected, kEraseFailed, kNoDevice.
  [[nodiscard]] virtual Status erase_block(std::uint32_t offset);

  /// Locks [offset, offset + length) against program and erase until the next reset. Both ends must be
  /// sector-aligned. @returns kOk, kOutOfRange, kUnaligned, kBadCommand (no free lock entry, or the part has
  /// no locks), kNoDevice.
  [[nodiscard]] virtual Status lock(std::uint32_t offset, std::uint32_t length) = 0;

  /// Reads the OTP bank. @returns kOk, kOutOfRange, kNoDevice.
  [[nodiscard]] virtual Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) = 0;

  /// Burns OTP bits (1 to 0, never back; see Geometry::has_fuses). @returns kOk, kOutOfRange, kProtected (the
  /// bank is locked until reset), kProgramFailed, kNoDevice.
  [[nodiscard]] virtual Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) = 0;

  /// Locks the OTP bank until the next reset. @returns kOk, kBadCommand (the part has no locks), kNoDevice.
  [[nodiscard]] virtual Status otp_lock() = 0;

  /// Fills `out` with bytes from the part's entropy source. @returns kOk, kOutOfRange (more than a page),
  /// kBadCommand (the part has no source), kNoDevice.
  [[nodiscard]] virtual Status entropy(std::span<std::uint8_t> out) = 0;
};

/// Programs a range of any alignment page by page; stops at the first failure.
/// @returns what `FlashDriver::program` returns.
[[nodiscard]] Status program_range(FlashDriver& flash, std::uint32_t offset,
                                   std::span<const std::uint8_t> data);

/// Erases the sectors of [offset, offset + length), both sector-aligned, in ascending order, and whole blocks
/// at once; stops at the first failure.
/// @returns what `FlashDriver::erase_sector` and `erase_block` return.
[[nodiscard]] Status erase_range(FlashDriver& flash, std::uint32_t offset, std::uint32_t length);

}  // namespace flash
