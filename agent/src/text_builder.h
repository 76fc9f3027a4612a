// Builds a short text in a fixed buffer, without printf and without a heap. An overflow is remembered, not
// fatal: text() is then empty.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ota {

template <std::size_t kCapacity>
class TextBuilder {
 public:
  TextBuilder& add(std::string_view part) {
    if (part.size() > kCapacity - size_) is_overflowed_ = true;
    if (is_overflowed_) return *this;
    std::memcpy(buffer_.data() + size_, part.data(), part.size());
    size_ += part.size();
    return *this;
  }

  TextBuilder& add_decimal(std::uint32_t value) {
    std::array<char, 10> digits;
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    return add({digits.data() + at, digits.size() - at});
  }

  /// Eight lower-case digits, as the job status messages have them.
  TextBuilder& add_hex32(std::uint32_t value) {
    std::array<char, 8> digits;
    for (std::size_t i = 0; i < digits.size(); ++i)
      digits[i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 0xF];
    return add({digits.data(), digits.size()});
  }

  [[nodiscard]] bool is_overflowed() const { return is_overflowed_; }
  [[nodiscard]] std::string_view text() const {
    return is_overflowed_ ? std::string_view{} : std::string_view{buffer_.data(), size_};
  }

 private:
  std::array<char, kCapacity> buffer_;
  std::size_t size_ = 0;
  bool is_overflowed_ = false;
};

}  // namespace ota
