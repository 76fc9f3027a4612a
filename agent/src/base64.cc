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

}  // namespace

std::size_t base64_decode(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() % 4 != 0) return kNotBase64;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);

  std::uint32_t bits = 0;
  std::uint32_t bit_count = 0;
  std::size_t written = 0;
  for (const char c : text) {
    const std::uint32_t value = value_of(c);
    if (value == kInvalid) return kNotBase64;
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    if (written == out.size()) return kNotBase64;
    out[written++] = static_cast<std::uint8_t>(bits >> bit_count);
    bits &= (1U << bit_count) - 1U;
  }
  return bits == 0 ? written : kNotBase64;
}

}  // namespace ota
