// The controller's registers as flash keeps them: what was locked, how much the part has done.
//
// Locks and the last command are lost at the next power-on; in the file of a device that is off they tell how
// it was last. On a SPI NOR they are the simulator's book-keeping.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace otasim::inspect {

struct Lock {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

struct RegisterFile {
  std::uint32_t sequence = 0;       ///< operations accepted
  std::uint32_t entropy_count = 0;  ///< entropy commands served
  bool otp_is_locked = false;
  std::vector<Lock> locks = {};
  std::uint32_t last_status = 0;
  std::string problem = {};  ///< a value that cannot be
};

/// @param window  kWindowSize bytes, anybody's
[[nodiscard]] RegisterFile read_registers(std::span<const std::uint8_t> window);

/// "slot-a", "provisioning-0 to provisioning-1", or offsets for what is no whole partitions.
[[nodiscard]] std::string range_name(std::uint32_t offset, std::uint32_t length);

}  // namespace otasim::inspect
