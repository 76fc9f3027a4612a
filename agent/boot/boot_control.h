// Boot control: the journal of boot states in two flash sectors.
//
// Order of use: load() once, then state() and append(). The bootloader also calls settle() before it acts on
// what it found. One writer at a time; the application and the bootloader each load() anew.
//
// How it survives power cuts. Assumed: a cut may stop any program or erase at any byte, and what it was
// changing is marginal from then on - a record, or a page that looks blank, may read one way at this boot and
// another way at the next.
//
// - A record fills one page. Its sequence number is its place (generation of the sector * pages + page), so
// no
//   two writes share one, and the valid record with the highest number is in force. A record counts only if
//   its checksum holds and it stands where its number says.
// - append() writes the state twice: the record, then, once that was read back, a confirmation beside it. A
//   confirmation that reads valid, however weakly, proves that the record before it was written completely.
//   A state is settled when confirmation and record are both valid and nothing was begun after them.
// - settle() appends the state in force again unless it is settled. So a torn record never decides anything
//   twice: either its state is written anew and solid before it is acted upon, or a newer record supersedes
//   it for good. Two good records exist before anything irreversible is done.
// - The first write after load() goes to the other sector, which is erased right before, even if it reads
//   blank: an earlier program or erase there may have been cut. So nothing is ever written to a doubtful
//   cell. The sector with the record in force is never erased.
#pragma once

#include <array>
#include <cstdint>

#include "agent/boot/boot_state.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/flash_map.h"

namespace boot {

/// One record as it stands in flash; little-endian, no padding.
struct BootRecord {
  static constexpr std::uint32_t kMagic = 0x4F43'5442;  // "BTCO" in memory
  static constexpr std::uint16_t kFormat = 1;

  std::uint32_t magic;
  std::uint32_t sequence;
  std::uint16_t format;
  std::uint16_t confirms;  ///< 1 if the page before holds the same state, completely written
  BootState state;
  std::uint32_t crc32;  ///< of all bytes before
};
static_assert(sizeof(BootRecord) == flash::kPageSize, "one record is one program operation");

class BootControl {
 public:
  static constexpr std::uint32_t kPages = flash::kSectorSize / flash::kPageSize;
  /// Failed programs or read-backs after which append() gives up.
  static constexpr std::uint32_t kMaxWriteTries = 3;

  explicit BootControl(flash::FlashDriver& flash) : flash_(flash) {}

  /// Finds the record in force. Writes nothing. A journal without any valid record is no error.
  /// @returns kOk, or what FlashDriver::read returns; state() is the default state then
  [[nodiscard]] flash::Status load();

  /// False on a blank or unreadable journal: nothing is known about any slot.
  [[nodiscard]] bool has_record() const { return has_record_; }
  [[nodiscard]] const BootState& state() const { return state_; }
  /// True when the state in force is known to read the same at every later boot.
  [[nodiscard]] bool is_settled() const { return has_record_ && settled_; }

  /// Writes the state in force again unless it is settled. Without a record there is nothing to do.
  /// @returns what append() returns
  [[nodiscard]] flash::Status settle();

  /// Makes `next` the state in force. Writes nothing if it is already, and settled.
  /// @returns kOk           `next` is in force and settled
  ///          kOutOfRange   `next` is not a sound state, or the journal is worn out; nothing is written
  ///          otherwise, what program, erase_sector or read returned; the next load() finds the old state or
  ///          `next`
  [[nodiscard]] flash::Status append(const BootState& next);

 private:
  struct Scan;
  [[nodiscard]] flash::Status write_pair(const BootState& next);
  [[nodiscard]] flash::Status write_page(const BootState& next, bool confirms);
  [[nodiscard]] flash::Status open_next_sector();

  flash::FlashDriver& flash_;
  BootState state_;
  bool has_record_ = false;
  bool settled_ = false;
  std::uint32_t in_force_generation_ = 0;  ///< meaningful if has_record_
  std::uint32_t write_generation_ = 0;
  std::uint32_t next_page_ = kPages;  ///< of the sector being written; kPages asks for the other one
};

}  // namespace boot
