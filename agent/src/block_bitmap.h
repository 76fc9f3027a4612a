// A bitmap of blocks in lent memory: bit n & 7 of byte n >> 3 stands for block n, as the stream request sends
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ota {

class BlockBitmap {
 public:
  BlockBitmap() = default;
  explicit BlockBitmap(std::span<std::uint8_t> bytes) : bytes_(bytes) {}

  /// Bytes for `blocks` blocks.
  [[nodiscard]] static constexpr std::uint32_t bytes_for(std::uint32_t blocks) {
    return blocks / 8 + (blocks % 8 != 0 ? 1U : 0U);
  }

  /// Sets blocks 0 to `blocks` - 1 and clears all others. Blocks beyond the memory are left out.
  void set_first(std::uint32_t blocks) {
    for (std::uint8_t& byte : bytes_) {
      const std::uint32_t bits = blocks < 8 ? blocks : 8;
      byte = static_cast<std::uint8_t>((1U << bits) - 1U);
      blocks -= bits;
    }
  }

  [[nodiscard]] bool is_set(std::uint32_t block) const {
    return block / 8 < bytes_.size() && (bytes_[block / 8] >> (block % 8) & 1U) != 0;
  }
  void set(std::uint32_t block) {
    if (block / 8 < bytes_.size()) bytes_[block / 8] |= static_cast<std::uint8_t>(1U << (block % 8));
  }
  void clear(std::uint32_t block) {
    if (block / 8 < bytes_.size()) bytes_[block / 8] &= static_cast<std::uint8_t>(~(1U << (block % 8)));
  }

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<std::uint8_t> bytes_;
};

}  // namespace ota
