// What befalls flash while the device is off: edits of the flash file that no operation made.
//
//   rot(flash, faults.file(), {.range = {.partition = "slot-a"}, .bits = 3, .seed = 7});
//   rot(flash, faults.file(), {.range = {.partition = "slot-a", .offset = 0x200}, .bit = 7});   // just this
//   one rot(flash, faults.file(), {.retention = Retention{.hours = 87'600, .celsius = 85}});         // ten
//   years destroy(flash, faults.file(), {.range = {.partition = "slot-b"}});
//
// The cells that change are firm, and wrong: marginal ones among them are no longer marginal. Whoever calls
// makes sure that the device is off; QEMU would not notice the edit of code it has translated.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/base/result.h"
#include "sim/flash/fault_file.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/flash_range.h"

namespace otasim::flash_file {

/// How programmed cells (0) lose their charge (to 1) in time, each by itself, with the probability
///   1 - exp(-rate * hours * A * (1 + erases / kWearErases))
/// where `erases` is that of the cell's sector, and A how much faster it goes than at kReferenceCelsius, by
/// Arrhenius with kActivationEv: A = exp(kActivationEv / k * (1/T0 - 1/T)), in kelvin.
struct Retention {
  static constexpr double kReferenceCelsius = 55.0;
  static constexpr double kActivationEv = 1.1;     ///< of the charge's way out of a floating gate
  static constexpr double kWearErases = 10'000.0;  ///< a sector erased so often loses charge twice as fast
  /// One bit of a slot of 3 MiB, half of it programmed, in 20 years at kReferenceCelsius, or so.
  static constexpr double kDefaultRate = 5e-13;

  double hours = 0.0;
  double celsius = kReferenceCelsius;
  double rate = kDefaultRate;  ///< of each cell of a new part, an hour, at kReferenceCelsius

  /// Of one cell of a sector that was erased so often.
  [[nodiscard]] double probability(std::uint32_t erases) const;
};

/// flash.bit_rot: cells that lost or gained charge. Which ones: `bits` at random; the one bit that is named;
/// or as the retention model has it.
struct BitRot {
  enum class Direction : std::uint8_t {
    kAny,     ///< each bit's other value
    kLost,    ///< programmed cells that lost their charge: 0 to 1
    kGained,  ///< erased cells that gained some: 1 to 0
  };
  FlashRange range = {};
  std::uint32_t bits = 1;                ///< counts without the next two
  std::optional<std::uint8_t> bit = {};  ///< 0 to 7: of the range's first byte
  std::optional<Retention> retention = {};
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
///          kUsage if the range is none, or holds fewer bits that can change in this direction, or what is
///          asked for contradicts itself
[[nodiscard]] Result<std::vector<RottenBit>> rot(FlashFile& flash, FaultFile& cells, const BitRot& rot);

/// @returns the range; kUsage if it is none
[[nodiscard]] Result<CellRange> destroy(FlashFile& flash, FaultFile& cells, const Destroy& destroy);

}  // namespace otasim::flash_file
