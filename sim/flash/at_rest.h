// What befalls flash while the device is off: edits of the flash file that no operation made.
//
//   rot(flash, faults.file(), {.range = {.partition = "slot-a"}, .bits = 3, .seed = 7});
//   destroy(flash, faults.file(), {.range = {.partition = "slot-b"}});
//
// The cells that change are firm, and wrong: marginal ones among them are no longer marginal. Whoever calls
// makes sure that the device is off; QEMU would not notice the edit of code it has translated.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/result.h"
#include "sim/flash/fault_file.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/flash_range.h"

namespace otasim::flash_file {

/// flash.bit_rot: cells that lost or gained charge.
struct BitRot {
  enum class Direction : std::uint8_t {
    kAny,     ///< each bit's other value
    kLost,    ///< programmed cells that lost their charge: 0 to 1
    kGained,  ///< erased cells that gained some: 1 to 0
  };
  FlashRange range = {};
  std::uint32_t bits = 1;
  Direction direction = Direction::kAny;
  std::uint64_t seed = 1;  ///< decides which
};

/// flash.destroy: everything in a range is overwritten.
struct Destroy {
  enum class Pattern : std::uint8_t { kZeros, kErased, kRandom };
  FlashRange range = {};
  Pattern pattern = Pattern::kZeros;
  std::uint64_t seed = 1;  ///< decides random bytes
};

inline constexpr const char* kBitRotName = "flash.bit_rot";
inline constexpr const char* kDestroyName = "flash.destroy";

struct RottenBit {
  std::uint32_t offset;  ///< of the byte, in the window
  std::uint8_t bit;      ///< 0 to 7

  auto operator<=>(const RottenBit&) const = default;
};

/// @returns the bits that changed, each once, in ascending order
///          kUsage if the range is none, or holds fewer bits that can change in this direction
[[nodiscard]] Result<std::vector<RottenBit>> rot(FlashFile& flash, FaultFile& cells, const BitRot& rot);

/// @returns the range; kUsage if it is none
[[nodiscard]] Result<CellRange> destroy(FlashFile& flash, FaultFile& cells, const Destroy& destroy);

}  // namespace otasim::flash_file
