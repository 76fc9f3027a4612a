#include "agent/src/json_values.h"

#include <cstddef>

namespace ota {
namespace {

constexpr std::uint32_t kNoDigit = UINT32_MAX;

std::uint32_t digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A') + 10;
  return kNoDigit;
}

/// Writes bytes and keeps one free for the NUL.
class Output {
 public:
  explicit Output(std::span<std::uint8_t> bytes) : bytes_(bytes) {}

  bool put(std::uint32_t byte) {
    if (size_ + 1 >= bytes_.size()) return false;
    bytes_[size_++] = static_cast<std::uint8_t>(byte);
    return true;
  }

  bool put_utf8(std::uint32_t c) {
    if (c < 0x80) return put(c);
    if (c < 0x800) return put(0xC0 | c >> 6) && put(0x80 | (c & 0x3F));
    if (c < 0x10000) return put(0xE0 | c >> 12) && put(0x80 | (c >> 6 & 0x3F)) && put(0x80 | (c & 0x3F));
    return put(0xF0 | c >> 18) && put(0x80 | (c >> 12 & 0x3F)) && put(0x80 | (c >> 6 & 0x3F)) &&
           put(0x80 | (c & 0x3F));
  }

  bool terminate() {
    if (size_ >= bytes_.size()) return false;
    bytes_[size_] = 0;
    return true;
  }

 private:
  std::span<std::uint8_t> bytes_;
  std::size_t size_ = 0;
};

constexpr std::size_t kUnicodeEscapeSize = 6;  // \uXXXX

constexpr std::uint32_t kNoUnit = UINT32_MAX;

std::uint32_t code_unit(std::string_view raw) {
  if (raw.size() < kUnicodeEscapeSize || raw[0] != '\\' || raw[1] != 'u') return kNoUnit;
  std::uint32_t unit = 0;
  for (std::size_t i = 2; i < kUnicodeEscapeSize; ++i) {
    const std::uint32_t digit = digit_value(raw[i]);
    if (digit == kNoDigit) return kNoUnit;
    unit = unit << 4 | digit;
  }
  return unit;
}

/// Takes one \uXXXX, or a surrogate pair of them. @returns the characters used, 0 for an error.
std::size_t take_unicode(std::string_view raw, Output& out) {
  const std::uint32_t unit = code_unit(raw);
  if (unit == kNoUnit || unit == 0) return 0;
  if (unit < 0xD800 || unit > 0xDFFF) return out.put_utf8(unit) ? kUnicodeEscapeSize : 0;
  const std::uint32_t low = code_unit(raw.substr(kUnicodeEscapeSize));
  if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) return 0;  // kNoUnit is none of them either
  const std::uint32_t c = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  return out.put_utf8(c) ? 2 * kUnicodeEscapeSize : 0;
}

/// Takes one escape sequence. @returns the characters used, 0 for an error.
std::size_t take_escape(std::string_view raw, Output& out) {
  if (raw.size() < 2) return 0;
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (raw[1] == 'u') return take_unicode(raw, out);
  const std::size_t index = kNames.find(raw[1]);
  if (index == std::string_view::npos) return 0;
  return out.put(static_cast<unsigned char>(kValues[index])) ? 2 : 0;
}

}  // namespace

bool copy_string(std::string_view raw, std::span<std::uint8_t> buffer) {
  Output out(buffer);
  while (!raw.empty()) {
    std::size_t used = 1;
    if (raw[0] == '\\') {
      used = take_escape(raw, out);
    } else if (raw[0] == '\0' || !out.put(static_cast<unsigned char>(raw[0]))) {
      used = 0;
    }
    if (used == 0) return false;
    raw.remove_prefix(used);
  }
  return out.terminate();
}

bool parse_u32(std::string_view text, std::uint32_t& out) {
  out = 0;
  std::uint32_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    if (text[1] != 'x' && text[1] != 'X') return false;
    base = 16;
    text.remove_prefix(2);
  }
  if (text.empty()) return false;
  std::uint32_t value = 0;
  for (const char c : text) {
    const std::uint32_t digit = digit_value(c);
    if (digit >= base || value > (UINT32_MAX - digit) / base) return false;
    value = value * base + digit;
  }
  out = value;
  return true;
}

}  // namespace ota
