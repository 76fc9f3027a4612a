// A JSON text as a flat array of tokens, with lookups by key.
//
// Everything in it is hostile: parse() accepts only what RFC 8259 calls a JSON object, at most kMaxTokens
// values and kMaxDepth levels, so a lookup afterwards needs to check nothing but types. Strings are left as
// they stand in the text; copy_string() (json_values.h) resolves their escapes.
#pragma once

#ifndef JSMN_HEADER
#define JSMN_HEADER
#endif
#include <jsmn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ota {

class JsonDocument {
 public:
  static constexpr std::size_t kMaxTokens = 192;
  static constexpr std::size_t kMaxDepth = 16;
  using Token = std::size_t;
  static constexpr Token kRoot = 0;
  /// What a lookup returns that found nothing. Every function takes it: it has no type and an empty text.
  static constexpr Token kNone = SIZE_MAX;

  /// @returns false if `text` is not one JSON object within the limits. The text must outlive this object.
  [[nodiscard]] bool parse(std::string_view text);

  /// The value of `key` in `object`; kNone if there is none, or if `object` is not an object. A key that
  /// stands there twice is not found and sets has_duplicate().
  [[nodiscard]] Token find(Token object, const char* key);
  /// The element `index` of `array`, kNone if it is shorter, or not an array.
  [[nodiscard]] Token element(Token array, std::size_t index) const;

  [[nodiscard]] bool has_duplicate() const { return has_duplicate_; }
  [[nodiscard]] bool is_object(Token token) const { return has_type(token, JSMN_OBJECT); }
  [[nodiscard]] bool is_array(Token token) const { return has_type(token, JSMN_ARRAY); }
  [[nodiscard]] bool is_string(Token token) const { return has_type(token, JSMN_STRING); }
  [[nodiscard]] bool is(Token token, const char* text) const;
  /// The token as it stands in the text: a string without its quotes, anything else whole.
  [[nodiscard]] std::string_view text(Token token) const;

 private:
  class Checker;

  [[nodiscard]] bool has_type(Token token, jsmntype_t type) const {
    return token < count_ && tokens_[token].type == type;
  }
  [[nodiscard]] Token after(Token token) const;

  std::string_view text_;
  std::array<jsmntok_t, kMaxTokens> tokens_;
  std::size_t count_ = 0;
  bool has_duplicate_ = false;
};

}  // namespace ota
