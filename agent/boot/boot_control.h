// Boot control: the journal of boot states in two flash sectors. A sector has at least the journal's pages;
// what a larger one has behind them stays blank.
//
// Order of use: load() once, then state() and append(); nothing is written before a load() that succeeded.
// The bootloader also calls settle() before it acts on what it found. One writer at a time; the application
// and the bootloader each load() anew.
//
// How it survives power cuts. Assumed: a cut may stop any program or erase at any byte, and all that it was
// changing is weak from then on - a record, or a page that looks blank, may read one way at this boot and
// another way at the next. What was completed reads the same forever.
//
// - A record fills one page. Its sequence number is its place (generation of the sector * pages + page), so
//   that no two writes share one, and the valid record with the highest number is in force. A record counts
//   only if its checksum holds and it stands where its number says.
// - append() writes a set: the record, a first and a second confirmation, each once the one before was read
//   back. A visible second confirmation, however weak, proves that record and first confirmation are
//   complete. Only then is the state settled, and only a settled state is acted upon. At the next boot the
//   second confirmation may be gone, but the first cannot be.
// - Before anything is begun in a settled journal it is made to look unsettled: by erasing the other sector
//   (a settled journal has records in both), or by an announcement, which repeats the state in force. So a
//   torn record that happens to read blank is never overlooked.
// - settle() writes the state in force anew unless it is settled. A torn record is thereby made solid before
//   it is acted upon, or superseded for good.
// - The first write after load() goes to a sector erased right before, even if it reads blank, because an
//   earlier program or erase there may have been cut. The last settled state is never erased: if the sector
//   in force has a second confirmation, the other one is erased; if it has no confirmation, nothing in it was
//   ever settled, and it is erased itself; if it has the first only, that cannot be told, and before the
//   other sector is erased one more set is written to this one.
#pragma once

#include <array>
#include <cstdint>

#include "agent/boot/boot_state.h"
#include "pal_sim/flash/flash_driver.h"
#include "pal_sim/flash/flash_map.h"

namespace boot {

enum class RecordRole : std::uint16_t {
  kRecord = 0,
  kFirstConfirmation = 1,   ///< repeats the record; the record is complete
  kSecondConfirmation = 2,  ///< repeats it again; the first confirmation is complete
  kAnnouncement = 3,        ///< repeats the state before; another set follows
};

/// One record as it stands in flash; little-endian, no padding.
struct BootRecord {
  static constexpr std::uint32_t kMagic = 0x4F43'5442;  // "BTCO" in memory
  static constexpr std::uint16_t kFormat = 1;

  std::uint32_t magic;
  std::uint32_t sequence;
  std::uint16_t format;
  std::uint16_t role;  ///< a `RecordRole`
  BootState state;
  std::uint32_t crc32;  ///< of all bytes before
};
static_assert(sizeof(BootRecord) == flash::kPageSize, "one record is one program operation");

class BootControl {
 public:
  static constexpr std::uint32_t kPages = flash::kJournalPages;  ///< of each sector
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

  /// The partition with the state in force. Once it is settled, the next state goes to the other one.
  [[nodiscard]] const flash::Partition& in_force_partition() const;

  /// Writes the state in force again unless it is settled. Without a record there is nothing to do.
  /// @returns what append() returns
  [[nodiscard]] flash::Status settle();

  /// Makes `next` the state in force, after settling the one that is. Writes nothing if they are equal.
  /// @returns kOk           `next` is in force and settled
  ///          kOutOfRange   `next` is not a sound state, the journal is worn out, or it was not loaded;
  ///                        nothing is written
  ///          otherwise, what program, erase_sector or read returned; the next load() finds the old state or
  ///          `next`
  [[nodiscard]] flash::Status append(const BootState& next);

 private:
  struct Scan;
  [[nodiscard]] flash::Status write_set(BootState next);
  [[nodiscard]] flash::Status try_write_set(const BootState& next);
  [[nodiscard]] flash::Status write_page(const BootState& state, RecordRole role);
  [[nodiscard]] flash::Status open_sector();

  flash::FlashDriver& flash_;
  BootState state_;
  bool is_loaded_ = false;
  bool has_record_ = false;
  bool settled_ = false;
  std::uint32_t in_force_generation_ = 0;  ///< meaningful if has_record_
  bool in_force_sector_is_solid_ = false;  ///< it holds a confirmation, so it must not be erased
  bool reinforce_ = false;                 ///< that sector is made solid before the other one is erased
  std::uint32_t write_generation_ = 0;
  std::uint32_t next_page_ = kPages;  ///< of the sector being written; kPages: none is open
};

}  // namespace boot
