// The boot control journal as tests damage it: the bytes of its two areas, counted through.
#pragma once

#include <cstdint>

#include "pal_sim/flash/flash_map.h"

namespace boot_test {

inline constexpr std::uint32_t kJournalBytes = 2 * flash::kJournalSize;
inline constexpr std::uint32_t kJournalPages = 2 * flash::kJournalPages;

/// Both partitions, which adjoin and stand first in flash, with all that is behind the journal in each.
inline constexpr std::uint32_t kBothPartitions = flash::kBootControl1.end();
static_assert(flash::kBootControl0.offset == 0 && flash::kBootControl1.offset == flash::kBootControl0.end());

/// Where the journal's byte stands in the window.
constexpr std::uint32_t journal_byte(std::uint32_t index) {
  return index < flash::kJournalSize ? flash::kBootControl0.offset + index
                                     : flash::kBootControl1.offset + index - flash::kJournalSize;
}

/// Where the journal's page stands in the window.
constexpr std::uint32_t journal_page(std::uint32_t index) {
  return journal_byte(index * flash::kPageSize);
}

}  // namespace boot_test
