// A board's CMSDK watchdog, as it is reached from outside.
#pragma once

#include <cstdint>
#include <optional>

namespace otasim::device {

/// Where a board's secure world stands (TrustZone).
struct SecureWorld {
  std::uint32_t rom_address = 0;
  std::uint32_t rom_size = 0;
  std::uint32_t gateway_address = 0;  ///< of an SG instruction that the other world may call
};

struct CmsdkWatchdog {
  std::uint32_t address = 0x4000'8000;
  std::optional<SecureWorld> owner = {};  ///< whose it is alone
};

}  // namespace otasim::device
