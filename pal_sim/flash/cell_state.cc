#include "pal_sim/flash/cell_state.h"

#include <array>

#include "pal_sim/flash/splitmix64.h"

namespace flash {
namespace {

// A word that depends on the seed, the power-on and a place, and on nothing else.
std::uint64_t draw(std::uint64_t seed, std::uint32_t power_on, std::uint64_t place) {
  constexpr std::uint64_t kMarginalDomain = 0x6D61'7267'696E'616Cu;  // apart from the entropy source
  std::uint64_t state = seed ^ kMarginalDomain;
  state = splitmix64(state) ^ power_on;
  state = splitmix64(state) ^ place;
  return splitmix64(state);
}

// How many of 256 marginal bits of a sector read 0 at this power-on.
std::uint32_t zeros_of_256(std::uint64_t seed, std::uint32_t power_on, std::uint32_t sector) {
  constexpr std::array<std::uint32_t, 5> kChoices{0, 5, 128, 251, 256};
  constexpr std::uint64_t kSectorPlaces = std::uint64_t{1} << 32;  // apart from the bytes' own
  return kChoices[draw(seed, power_on, kSectorPlaces + sector) % kChoices.size()];
}

std::uint8_t reading(std::uint64_t seed, std::uint32_t power_on, std::uint32_t offset,
                     std::uint32_t sector_size) {
  const std::uint32_t zeros = zeros_of_256(seed, power_on, offset / sector_size);
  std::uint64_t word = draw(seed, power_on, offset);
  unsigned byte = 0;
  for (unsigned bit = 0; bit < 8; ++bit, word >>= 8) {
    if ((word & 0xFF) >= zeros) byte |= 1U << bit;
  }
  return static_cast<std::uint8_t>(byte);
}

// Takes `bits` of the cell from `source`.
void mix(std::uint8_t& cell, std::uint8_t bits, std::uint8_t source) {
  cell = static_cast<std::uint8_t>((cell & ~bits) | (source & bits));
}

}  // namespace

std::uint8_t CellState::marginal_bits(std::uint32_t offset) const {
  const auto found = marginal.find(offset);
  return found == marginal.end() ? std::uint8_t{0} : found->second;
}

std::uint8_t CellState::stuck_bits(std::uint32_t offset) const {
  const auto found = stuck.find(offset);
  return found == stuck.end() ? std::uint8_t{0} : found->second.bits;
}

void CellState::weaken(std::uint32_t offset, std::uint8_t bits) {
  bits = static_cast<std::uint8_t>(bits & ~stuck_bits(offset));
  if (bits == 0) return;
  std::uint8_t& mask = marginal[offset];
  mask = static_cast<std::uint8_t>(mask | bits);
}

void CellState::settle(std::uint32_t offset, std::uint8_t bits) {
  const auto found = marginal.find(offset);
  if (found == marginal.end()) return;
  found->second = static_cast<std::uint8_t>(found->second & ~bits);
  if (found->second == 0) marginal.erase(found);
}

void CellState::settle_range(std::uint32_t offset, std::uint32_t length) {
  marginal.erase(marginal.lower_bound(offset), marginal.lower_bound(offset + length));
}

void CellState::power_on(Window window, std::uint64_t seed, std::uint32_t sector_size) {
  ++power_ons;
  for (const auto& [offset, bits] : marginal)
    mix(window[offset], bits, reading(seed, power_ons, offset, sector_size));
}

void CellState::hold_stuck(Window window, std::uint32_t offset, std::uint32_t length) const {
  const auto end = stuck.lower_bound(offset + length);
  for (auto at = stuck.lower_bound(offset); at != end; ++at) {
    mix(window[at->first], at->second.bits, at->second.values);
  }
}

}  // namespace flash
