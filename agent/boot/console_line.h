// One line of console text, put together without printf and without heap, and the place it goes to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/boot/image_format.h"

namespace boot {

/// Where messages go. `write` gets whole lines, each ending in "\n".
struct Console {
  void (*write)(void* context, std::string_view text) = nullptr;
  void* context = nullptr;
};

/// Collects the pieces of a line; what does not fit is left out. `console << ...` is not offered on purpose:
/// a line goes out as a whole, with one call of send().
class ConsoleLine {
 public:
  static constexpr std::size_t kMaxLength = 160;

  ConsoleLine& text(std::string_view text);
  ConsoleLine& number(std::uint32_t value);
  /// major.minor.revision
  ConsoleLine& version(const image::Version& version);

  void send(const Console& console);

 private:
  std::array<char, kMaxLength + 1> buffer_{};
  std::size_t length_ = 0;
};

}  // namespace boot
