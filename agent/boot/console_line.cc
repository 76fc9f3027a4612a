#include "agent/boot/console_line.h"

#include <algorithm>

namespace boot {

ConsoleLine& ConsoleLine::text(std::string_view text) {
  const std::size_t count = std::min(text.size(), kMaxLength - length_);
  std::copy_n(text.begin(), count, buffer_.begin() + static_cast<std::ptrdiff_t>(length_));
  length_ += count;
  return *this;
}

ConsoleLine& ConsoleLine::number(std::uint32_t value) {
  std::array<char, 10> digits{};
  std::size_t first = digits.size();
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return text({digits.data() + first, digits.size() - first});
}

ConsoleLine& ConsoleLine::version(const image::Version& version) {
  return number(version.major).text(".").number(version.minor).text(".").number(version.revision);
}

void ConsoleLine::send(const Console& console) {
  buffer_[length_] = '\n';
  if (console.write != nullptr) console.write(console.context, {buffer_.data(), length_ + 1});
  length_ = 0;
}

}  // namespace boot
