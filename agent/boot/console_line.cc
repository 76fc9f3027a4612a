#include "agent/boot/console_line.h"

#include <algorithm>

namespace boot {

ConsoleLine::ConsoleLine(std::string_view stage) {
  text("boot: ");
  text(stage);
}

ConsoleLine& ConsoleLine::field(std::string_view key, std::string_view value) {
  text(" ");
  text(key);
  text("=");
  text(value);
  return *this;
}

ConsoleLine& ConsoleLine::field(std::string_view key, std::uint32_t value) {
  field(key, std::string_view());
  number(value);
  return *this;
}

ConsoleLine& ConsoleLine::field(std::string_view key, const image::Version& version) {
  field(key, version.major);
  text(".");
  number(version.minor);
  text(".");
  number(version.revision);
  return *this;
}

void ConsoleLine::send(const Console& console) {
  buffer_[length_] = '\n';
  if (console.write != nullptr) console.write(console.context, {buffer_.data(), length_ + 1});
  length_ = 0;
}

void ConsoleLine::text(std::string_view text) {
  const std::size_t count = std::min(text.size(), kMaxLength - length_);
  std::copy_n(text.begin(), count, buffer_.begin() + static_cast<std::ptrdiff_t>(length_));
  length_ += count;
}

void ConsoleLine::number(std::uint32_t value) {
  std::array<char, 10> digits{};
  std::size_t first = digits.size();
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  text({digits.data() + first, digits.size() - first});
}

}  // namespace boot
