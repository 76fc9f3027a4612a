#include "sim/flash/at_rest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <random>
#include <set>

namespace otasim::flash_file {
namespace {

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

}  // namespace

Result<std::vector<RottenBit>> rot(FlashFile& flash, FaultFile& cells, const BitRot& rot) {
  const auto range = resolve(rot.range);
  if (!range) return tl::unexpected(range.error());
  const auto bytes = flash.bytes().subspan(range->begin, range->size());
  const std::uint64_t count = count_bits_that_can_rot(bytes, rot.direction);
  if (rot.bits == 0 || rot.bits > count) {
    return fail(ExitCode::kUsage, fmt::format("{} bits cannot rot: {} in the range could", rot.bits, count));
  }
  const auto ranks = draw(count, rot.bits, rot.seed);
  std::vector<RottenBit> rotten;
  auto next = ranks.begin();
  std::uint64_t rank = 0;
  for (std::uint32_t at = 0; at < range->size() && next != ranks.end(); ++at) {
    const std::uint8_t before = bytes[at];
    for (unsigned bit = 0; bit < 8 && next != ranks.end(); ++bit) {
      if (!can_rot(before, bit, rot.direction) || rank++ != *next) continue;
      ++next;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << bit));
      rotten.push_back({range->begin + at, static_cast<std::uint8_t>(bit)});
    }
  }
  flash::CellState state = cells.load_cells();
  for (const RottenBit& one : rotten) state.settle(one.offset, static_cast<std::uint8_t>(1U << one.bit));
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
