// The application's console: whole lines, read by people and by the host, so their wording is kept stable.
//
//   console::log("network up, address ", console::Ip{address});   // app: network up, address 10.0.2.15
//
// A line that is too long is cut, never split. Nothing here allocates.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace app::console {

/// An IPv4 address in network byte order, as lwIP keeps it.
struct Ip {
  std::uint32_t address;
};

/// A number printed as 0x and eight digits.
struct Hex {
  std::uint32_t value;
};

/// Seconds since 1970, printed as 2026-01-31T23:59:59Z.
struct Time {
  std::int64_t seconds;
};

/// One line being put together.
class Line {
 public:
  static constexpr std::size_t kMaxLength = 256;

  Line& operator<<(std::string_view text);
  Line& operator<<(const char* text) { return *this << std::string_view(text); }
  Line& operator<<(char c) { return *this << std::string_view(&c, 1); }
  Line& operator<<(Ip ip);
  Line& operator<<(Hex hex);
  Line& operator<<(Time time);
  template <std::integral T>
  Line& operator<<(T value) {
    return append_number(static_cast<std::int64_t>(value));
  }

  [[nodiscard]] std::string_view text() const { return {text_.data(), length_}; }

 private:
  Line& append_number(std::int64_t value);

  std::array<char, kMaxLength> text_;
  std::size_t length_ = 0;
};

/// Writes `line` and a line end to the board's console.
void write(const Line& line);

template <typename... Parts>
void log(const Parts&... parts) {
  Line line;
  line << "app: ";
  (line << ... << parts);
  write(line);
}

}  // namespace app::console
