#include "agent/src/base64.h"

namespace ota {
namespace {

constexpr std::uint32_t kInvalid = 64;

std::uint32_t value_of(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0') + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return kInvalid;
}

/// Characters before the padding.
std::size_t digits_in(std::string_view text) {
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  return text.size() - padding;
}

}  // namespace

std::size_t base64_decode(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() % 4 != 0) return kNotBase64;
  const std::size_t digits = digits_in(text);
  const std::size_t size = digits / 4 * 3 + (digits % 4 == 0 ? 0 : digits % 4 - 1);
  if (size > out.size()) return kNotBase64;

  std::uint32_t bits = 0;
  std::uint32_t bit_count = 0;
  std::size_t written = 0;
  for (const char c : text.substr(0, digits)) {
    const std::uint32_t value = value_of(c);
    if (value == kInvalid) return kNotBase64;
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out[written++] = static_cast<std::uint8_t>(bits >> bit_count);
    bits &= (1U << bit_count) - 1U;
  }
  if (bits != 0) return kNotBase64;
  return written;
}

}  // namespace ota
