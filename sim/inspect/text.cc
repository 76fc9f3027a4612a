#include "sim/inspect/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace otasim::inspect {
namespace {

constexpr std::uint8_t kErased = 0xFF;
constexpr std::int64_t kYear10000 = 253'402'300'800;

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
  }
  return text;
}

std::string utc(std::int64_t epoch_seconds) {
  if (epoch_seconds < 0 || epoch_seconds >= kYear10000) return fmt::format("{} s since 1970", epoch_seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(epoch_seconds)));
}

bool is_erased(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == kErased; });
}

std::uint32_t used_size(std::span<const std::uint8_t> bytes) {
  std::size_t size = bytes.size();
  while (size != 0 && bytes[size - 1] == kErased) --size;
  return static_cast<std::uint32_t>(size);
}

}  // namespace otasim::inspect
