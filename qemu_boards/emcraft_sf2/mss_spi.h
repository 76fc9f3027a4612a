// The MSS SPI controller 0 (UG0331, "Serial peripheral interface controller") as bus master, polled.
#pragma once

#include "qemu_boards/emcraft_sf2/spi_bus.h"

namespace emcraft_sf2 {

class MssSpi final : public SpiBus {
 public:
  [[nodiscard]] bool transfer(std::span<const std::uint8_t> command, std::span<const std::uint8_t> out,
                              std::span<std::uint8_t> in) override;
};

}  // namespace emcraft_sf2
