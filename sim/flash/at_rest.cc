#include "sim/flash/at_rest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <set>

namespace otasim::flash_file {
namespace {

constexpr double kAbsoluteZero = -273.15;

bool can_rot(std::uint8_t byte, unsigned bit, BitRot::Direction direction) {
  if (direction == BitRot::Direction::kAny) return true;
  const bool reads_one = ((byte >> bit) & 1) != 0;
  return reads_one == (direction == BitRot::Direction::kGained);
}

std::uint64_t count_bits_that_can_rot(std::span<const std::uint8_t> cells, BitRot::Direction direction) {
  if (direction == BitRot::Direction::kAny) return std::uint64_t{8} * cells.size();
  std::uint64_t ones = 0;
  for (const std::uint8_t byte : cells) ones += static_cast<unsigned>(std::popcount(byte));
  return direction == BitRot::Direction::kGained ? ones : std::uint64_t{8} * cells.size() - ones;
}

/// Which of the `count` bits that can change do: distinct ranks, by Floyd's method.
std::set<std::uint64_t> draw(std::uint64_t count, std::uint32_t wanted, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::set<std::uint64_t> ranks;
  for (std::uint64_t last = count - wanted; last < count; ++last) {
    const std::uint64_t rank = random() % (last + 1);
    if (!ranks.insert(rank).second) ranks.insert(last);
  }
  return ranks;
}

std::uint8_t byte_of(Destroy::Pattern pattern, std::mt19937_64& random) {
  switch (pattern) {
    case Destroy::Pattern::kZeros:
      return 0;
    case Destroy::Pattern::kErased:
      return 0xFF;
    case Destroy::Pattern::kRandom:
      return static_cast<std::uint8_t>(random());
  }
  return 0;
}

/// Numbers of cells between one that is struck and the next, if each is with the same probability.
class Gaps {
 public:
  Gaps(double probability, std::mt19937_64& random) : keep_(std::log1p(-probability)), random_(random) {}

  std::uint64_t next() {
    constexpr double kRange = 18446744073709551616.0;  // of its numbers: 2^64
    constexpr double kNever = 1e18;
    const double chance = (static_cast<double>(random_()) + 0.5) / kRange;  // never 0
    // keep_ is -inf where all are struck.
    return static_cast<std::uint64_t>(std::min(std::log(chance) / keep_, kNever));
  }

 private:
  double keep_;
  std::mt19937_64& random_;
};

/// Those of a stretch of one sector that lose their charge.
void leak(std::span<const std::uint8_t> bytes, std::uint32_t begin, double probability,
          std::mt19937_64& random, std::vector<RottenBit>& lost) {
  if (probability <= 0.0) return;
  Gaps gaps(probability, random);
  std::uint64_t passed = gaps.next();
  for (std::uint32_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (((bytes[at] >> bit) & 1) != 0 || passed-- != 0) continue;
      lost.push_back({begin + at, static_cast<std::uint8_t>(bit)});
      passed = gaps.next();
    }
  }
}

Result<void> check(const BitRot& rot) {
  if (rot.bit && rot.retention)
    return fail(ExitCode::kUsage, "either one bit rots, or as many as time takes");
  if (rot.bit && *rot.bit > 7) return fail(ExitCode::kUsage, "the bits of a byte are 0 to 7");
  if (!rot.retention) return {};
  const auto [hours, celsius, rate] = *rot.retention;
  if (!(hours >= 0.0) || !(rate >= 0.0)) return fail(ExitCode::kUsage, "hours and rate are not negative");
  if (!(celsius > kAbsoluteZero)) return fail(ExitCode::kUsage, "nothing is that cold");
  if (rot.direction == BitRot::Direction::kGained)
    return fail(ExitCode::kUsage, "in time cells lose charge, they gain none");
  return {};
}

Result<std::vector<RottenBit>> pick_one(std::span<const std::uint8_t> bytes, std::uint32_t begin,
                                        const BitRot& rot) {
  if (!can_rot(bytes.front(), *rot.bit, rot.direction))
    return fail(ExitCode::kUsage,
                fmt::format("bit {} at {:#x} cannot rot in this direction", *rot.bit, begin));
  return std::vector<RottenBit>{{begin, *rot.bit}};
}

std::vector<RottenBit> pick_in_time(std::span<const std::uint8_t> bytes, std::uint32_t begin,
                                    const BitRot& rot, const flash::CellState& cells,
                                    std::uint32_t sector_size) {
  std::mt19937_64 random(rot.seed);
  std::vector<RottenBit> lost;
  for (std::uint32_t at = 0; at < bytes.size();) {
    const std::uint32_t sector = (begin + at) / sector_size;
    const auto stretch =
        bytes.subspan(at, std::min<std::size_t>((sector + 1) * sector_size - begin - at, bytes.size() - at));
    leak(stretch, begin + at, rot.retention->probability(cells.erase_counts[sector]), random, lost);
    at += static_cast<std::uint32_t>(stretch.size());
  }
  return lost;
}

Result<std::vector<RottenBit>> pick_at_random(std::span<const std::uint8_t> bytes, std::uint32_t begin,
                                              const BitRot& rot) {
  const std::uint64_t count = count_bits_that_can_rot(bytes, rot.direction);
  if (rot.bits == 0 || rot.bits > count) {
    return fail(ExitCode::kUsage, fmt::format("{} bits cannot rot: {} in the range could", rot.bits, count));
  }
  const auto ranks = draw(count, rot.bits, rot.seed);
  std::vector<RottenBit> rotten;
  auto next = ranks.begin();
  std::uint64_t rank = 0;
  for (std::uint32_t at = 0; at < bytes.size() && next != ranks.end(); ++at) {
    const std::uint8_t before = bytes[at];
    for (unsigned bit = 0; bit < 8 && next != ranks.end(); ++bit) {
      if (!can_rot(before, bit, rot.direction) || rank++ != *next) continue;
      ++next;
      rotten.push_back({begin + at, static_cast<std::uint8_t>(bit)});
    }
  }
  return rotten;
}

}  // namespace

double Retention::probability(std::uint32_t erases) const {
  constexpr double kBoltzmann = 8.617333e-5;  // eV/K
  const double acceleration =
      std::exp(kActivationEv / kBoltzmann *
               (1.0 / (kReferenceCelsius - kAbsoluteZero) - 1.0 / (celsius - kAbsoluteZero)));
  return -std::expm1(-rate * hours * acceleration * (1.0 + erases / kWearErases));
}

Result<std::vector<RottenBit>> rot(FlashFile& flash, FaultFile& cells, const BitRot& rot) {
  if (auto checked = check(rot); !checked) return tl::unexpected(checked.error());
  const auto range = resolve(rot.range);
  if (!range) return tl::unexpected(range.error());
  const auto bytes = flash.bytes().subspan(range->begin, range->size());
  flash::CellState state = cells.load_cells();
  auto rotten = rot.bit         ? pick_one(bytes, range->begin, rot)
                : rot.retention ? pick_in_time(bytes, range->begin, rot, state, flash.part().sector_size)
                                : pick_at_random(bytes, range->begin, rot);
  if (!rotten) return rotten;
  for (const RottenBit& one : *rotten) {
    const auto bit = static_cast<std::uint8_t>(1U << one.bit);
    std::uint8_t& cell = flash.bytes()[one.offset];
    cell = static_cast<std::uint8_t>(cell ^ bit);
    state.settle(one.offset, bit);
  }
  cells.store_cells(state);
  return rotten;
}

Result<CellRange> destroy(FlashFile& flash, FaultFile& cells, const Destroy& destroy) {
  const auto range = resolve(destroy.range);
  if (!range) return range;
  std::mt19937_64 random(destroy.seed);
  std::ranges::generate(flash.bytes().subspan(range->begin, range->size()),
                        [&] { return byte_of(destroy.pattern, random); });
  flash::CellState state = cells.load_cells();
  state.settle_range(range->begin, range->size());
  cells.store_cells(state);
  return range;
}

}  // namespace otasim::flash_file
