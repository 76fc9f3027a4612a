// The boot report: one line of console text per stage, put together without printf and without heap.
//
//   boot: STAGE key=value key=value ...
//
// Values hold no spaces, so that a line is read by splitting it. The stages and their keys are in
// docs/boot.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/boot/image_format.h"

namespace boot {

/// Where lines go. `write` gets whole lines, each ending in "\n".
struct Console {
  void (*write)(void* context, std::string_view text) = nullptr;
  void* context = nullptr;
};

/// Collects a line; what does not fit is left out.
class ConsoleLine {
 public:
  static constexpr std::size_t kMaxLength = 160;

  explicit ConsoleLine(std::string_view stage);

  ConsoleLine& field(std::string_view key, std::string_view value);
  ConsoleLine& field(std::string_view key, std::uint32_t value);
  /// major.minor.revision
  ConsoleLine& field(std::string_view key, const image::Version& version);

  void send(const Console& console);

 private:
  void text(std::string_view text);
  void number(std::uint32_t value);

  std::array<char, kMaxLength + 1> buffer_{};
  std::size_t length_ = 0;
};

}  // namespace boot
