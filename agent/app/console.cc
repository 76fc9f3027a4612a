#include "agent/app/console.h"

#include <algorithm>

#include "agent/crypto/civil_time.h"
#include "qemu_boards/common/board.h"

namespace app::console {

Line& Line::operator<<(std::string_view text) {
  const std::size_t count = std::min(text.size(), text_.size() - length_);
  std::copy_n(text.data(), count, text_.data() + length_);
  length_ += count;
  return *this;
}

Line& Line::append_number(std::int64_t value) {
  constexpr std::size_t kMaxDigits = 20;
  std::array<char, kMaxDigits> digits;
  std::size_t at = digits.size();
  std::uint64_t rest = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) *this << '-';
  return *this << std::string_view(digits.data() + at, digits.size() - at);
}

Line& Line::operator<<(Ip ip) {
  for (unsigned i = 0; i < 4; ++i) {
    if (i != 0) *this << '.';
    append_number((ip.address >> (8 * i)) & 0xFFU);
  }
  return *this;
}

Line& Line::operator<<(Hex hex) {
  *this << "0x";
  for (int shift = 28; shift >= 0; shift -= 4) {
    *this << "0123456789abcdef"[(hex.value >> static_cast<unsigned>(shift)) & 0xFU];
  }
  return *this;
}

Line& Line::operator<<(Time time) {
  const crypto::CivilTime civil = crypto::civil_time(time.seconds);
  const auto two_digits = [this](char before, std::uint8_t value) {
    *this << before << static_cast<char>('0' + value / 10) << static_cast<char>('0' + value % 10);
  };
  append_number(civil.year);  // four digits: 1970 to 9999
  two_digits('-', civil.month);
  two_digits('-', civil.day);
  two_digits('T', civil.hour);
  two_digits(':', civil.minute);
  two_digits(':', civil.second);
  return *this << 'Z';
}

void write(const Line& line) {
  board::console_write(line.text());
  board::console_write("\n");
}

}  // namespace app::console
