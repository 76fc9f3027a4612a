// One chip on an SPI bus, as its driver sees it.
#pragma once

#include <cstdint>
#include <span>

namespace emcraft_sf2 {

class SpiBus {
 public:
  virtual ~SpiBus() = default;

  /// One transaction, from chip select to its release: sends `command`, then `out`, then takes `in`.
  /// At most kMaxTransaction bytes together. @returns false if the bus does not work
  [[nodiscard]] virtual bool transfer(std::span<const std::uint8_t> command,
                                      std::span<const std::uint8_t> out, std::span<std::uint8_t> in) = 0;

  static constexpr std::size_t kMaxTransaction = 0xFFFF;
};

}  // namespace emcraft_sf2
