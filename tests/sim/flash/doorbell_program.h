// What the doorbell program does to flash, for itself and for the test that checks it.
#pragma once

#include <cstdint>

namespace doorbell_program {

inline constexpr std::uint32_t kProgrammed = 0x10'0000;
inline constexpr std::uint32_t kErased = 0x11'0000;
inline constexpr std::uint32_t kLocked = 0x70'0000;
inline constexpr std::uint32_t kBootMark = 0x12'0000;
inline constexpr std::uint32_t kEntropyKept = 0x13'0000;

/// What it does instead, if this byte is one of these.
inline constexpr std::uint32_t kMode = 0x14'0000;
inline constexpr std::uint8_t kStoresDirectly = 1;  ///< into the array, the OTP bank, and beside them
inline constexpr std::uint8_t kPolls = 2;           ///< erases and programs as a driver does that waits
inline constexpr std::uint8_t kReads = 3;           ///< a sector, again and again
inline constexpr std::uint32_t kRead = 0x15'0000;
inline constexpr std::uint32_t kTimesRead = 8;

inline constexpr std::uint8_t kFirstSeed = 0x35;
inline constexpr std::uint8_t kSecondSeed = 0x9E;

constexpr std::uint8_t pattern(std::uint8_t seed, std::uint32_t i) {
  return static_cast<std::uint8_t>(seed * (i + 1));
}

}  // namespace doorbell_program
