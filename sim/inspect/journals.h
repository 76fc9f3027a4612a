// The application's journals: the floor of the calendar time, and the seed of random numbers
// (docs/flash-layout.md, "Calendar time" and "Seed of random numbers").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace otasim::inspect {

/// How a sector's pages are used.
struct PageCounts {
  std::uint32_t records = 0;
  std::uint32_t junk = 0;  ///< neither a record nor blank: torn or damaged
};

struct Calendar {
  std::array<PageCounts, 2> sectors;
  std::optional<std::int64_t> floor;  ///< seconds since 1970; none: no record
};

struct SeedJournal {
  struct Sector {
    PageCounts pages;
    std::uint32_t sequence = 0;  ///< of the newest record, if there is one
  };
  std::array<Sector, 2> sectors;
  std::optional<std::uint32_t> in_force;  ///< the sequence; the seed itself is nobody's business
};

/// @param window  kWindowSize bytes, anybody's
[[nodiscard]] Calendar read_calendar(std::span<const std::uint8_t> window);
[[nodiscard]] SeedJournal read_seed_journal(std::span<const std::uint8_t> window);

/// The time of a calendar record at the start of `page`. @returns nothing if there is no whole one
[[nodiscard]] std::optional<std::int64_t> calendar_time(std::span<const std::uint8_t> page);
/// The same of a seed record: its sequence.
[[nodiscard]] std::optional<std::uint32_t> seed_sequence(std::span<const std::uint8_t> page);

}  // namespace otasim::inspect
