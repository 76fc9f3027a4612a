#include "agent/src/text.h"

namespace ota {

void TextWriter::format(const char* format, const TextValue* value) {
  for (; *format != '\0'; ++format) {
    if (*format != '%') {
      put(static_cast<unsigned char>(*format));
      continue;
    }
    const std::uint32_t number = value->number;
    switch (*++format) {
      case 's':
        for (std::uint32_t i = 0; i < number && value->data[i] != '\0'; ++i) {
          put(static_cast<unsigned char>(value->data[i]));
        }
        break;
      case 'd':
        put_decimal(number);
        break;
      case 'x':
        put_hex32(number);
        break;
      default:
        put_decimal(number >> 24);
        put('.');
        put_decimal(number >> 16 & 0xFF);
        put('.');
        put_decimal(number & 0xFFFF);
        break;
    }
    ++value;
  }
}

void TextWriter::put(std::uint32_t c) {
  if (size_ < capacity_) buffer_[size_] = static_cast<char>(c);
  if (size_ <= capacity_) ++size_;
}

void TextWriter::put_decimal(std::uint32_t number) {
  std::uint32_t power = 1;
  while (number / power >= 10) power *= 10;
  for (; power != 0; power /= 10) put('0' + number / power % 10);
}

void TextWriter::put_hex32(std::uint32_t number) {
  for (int i = 0; i < 8; ++i, number <<= 4) put(static_cast<unsigned char>("0123456789abcdef"[number >> 28]));
}

}  // namespace ota
