// What the doorbell program does to flash, for itself and for the test that checks it.
#pragma once

#include <cstdint>

namespace doorbell_program {

inline constexpr std::uint32_t kProgrammed = 0x10'0000;
inline constexpr std::uint32_t kErased = 0x11'0000;
inline constexpr std::uint32_t kLocked = 0x70'0000;
inline constexpr std::uint32_t kBootMark = 0x12'0000;
inline constexpr std::uint32_t kEntropyKept = 0x13'0000;

inline constexpr std::uint8_t kFirstSeed = 0x35;
inline constexpr std::uint8_t kSecondSeed = 0x9E;

constexpr std::uint8_t pattern(std::uint8_t seed, std::uint32_t i) {
  return static_cast<std::uint8_t>(seed * (i + 1));
}

}  // namespace doorbell_program
