// Secrets that let a browser in: the token in the address that the lab prints, and the session that a browser
// gets for it.
//
//   const Secret token = Secret::make();
//   token.text()                      // 64 hexadecimal digits
//   token.is(text_from_a_stranger)    // in a time that does not depend on how much of it is right
#pragma once

#include <string>
#include <string_view>

namespace otasim::web {

class Secret {
 public:
  static constexpr std::size_t kBytes = 32;

  /// From OpenSSL's generator. @returns nothing of use without it: the process ends
  [[nodiscard]] static Secret make();

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is(std::string_view text) const;

 private:
  explicit Secret(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace otasim::web
