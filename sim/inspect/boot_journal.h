// The boot control journal, page by page, as the host reads it: every record with its role and state, which
// one is in force, and what is wrong with a page that is neither a record nor blank.
//
// Written apart from the bootloader's reader (agent/boot/boot_control.h); a test gives both the same
// journals.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "agent/boot/boot_control.h"
#include "pal_sim/flash/flash_map.h"

namespace otasim::inspect {

struct JournalPage {
  std::optional<boot::BootRecord> record = {};
  std::string problem = {};  ///< why it is no record; empty for a record and for a blank page

  [[nodiscard]] bool is_blank() const { return !record && problem.empty(); }
};

inline constexpr std::uint32_t kJournalSectors = 2;

struct JournalPlace {
  std::uint32_t sector;  ///< 0: boot-control-0
  std::uint32_t page;
};

struct BootJournal {
  std::array<std::array<JournalPage, flash::kJournalPages>, kJournalSectors> pages;
  std::optional<JournalPlace> in_force;
  bool is_settled = false;  ///< the state in force holds for good

  [[nodiscard]] const boot::BootRecord* record_in_force() const {
    return in_force ? &*pages[in_force->sector][in_force->page].record : nullptr;
  }
};

/// @param window  kWindowSize bytes, anybody's
[[nodiscard]] BootJournal read_boot_journal(std::span<const std::uint8_t> window);

/// The record on a page, or why there is none.
[[nodiscard]] JournalPage read_journal_page(std::span<const std::uint8_t> page, JournalPlace place);

/// Where the page at an offset of the window stands; nothing if it is none of the journal's.
[[nodiscard]] std::optional<JournalPlace> journal_place(std::uint32_t window_offset);

[[nodiscard]] const flash::Partition& journal_partition(std::uint32_t sector);
[[nodiscard]] std::string role_name(std::uint16_t role);

}  // namespace otasim::inspect
