// The bitmap of wanted blocks: bit n & 7 of byte n >> 3 is set while block n is wanted. It is a view of
// memory that the stream request sends as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ota {

class BlockBitmap {
 public:
  explicit BlockBitmap(std::span<std::uint8_t> bytes) : bytes_(bytes) {}

  /// Bytes a file of `blocks` blocks needs.
  [[nodiscard]] static constexpr std::uint32_t bytes_for(std::uint32_t blocks) {
    return blocks / 8 + (blocks % 8 != 0 ? 1U : 0U);
  }

  /// Wants all of `blocks` blocks, and none beyond them. @returns false if the memory is too small for them.
  [[nodiscard]] bool want_all(std::uint32_t blocks) {
    if (bytes_for(blocks) > bytes_.size()) return false;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      const std::uint32_t first = static_cast<std::uint32_t>(i) * 8;
      if (first >= blocks) {
        bytes_[i] = 0;
      } else if (blocks - first >= 8) {
        bytes_[i] = 0xFF;
      } else {
        bytes_[i] = static_cast<std::uint8_t>((1U << (blocks - first)) - 1U);
      }
    }
    return true;
  }

  [[nodiscard]] bool is_wanted(std::uint32_t block) const {
    return block / 8 < bytes_.size() && (bytes_[block / 8] >> (block % 8) & 1U) != 0;
  }

  void mark_received(std::uint32_t block) {
    if (block / 8 >= bytes_.size()) return;
    bytes_[block / 8] = static_cast<std::uint8_t>(bytes_[block / 8] & ~(1U << (block % 8)));
  }

 private:
  std::span<std::uint8_t> bytes_;
};

}  // namespace ota
