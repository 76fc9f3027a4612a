// Short texts in fixed buffers: topics and messages, without printf and without a heap.
//
//   Text<kMaxTopic> topic;
//   const TextValue values[] = {thing, job};
//   topic.format("$aws/things/%s/jobs/%s/update", values);
//
// An overflow is remembered, not fatal: text() is then empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ota {

/// What a placeholder stands for: a number, or a text that ends at its size or at a NUL.
struct TextValue {
  // NOLINTBEGIN(google-explicit-constructor)
  TextValue(std::uint32_t value) : number(value) {}
  TextValue(std::string_view value) : data(value.data()), number(static_cast<std::uint32_t>(value.size())) {}
  TextValue(const char* value) : data(value), number(UINT32_MAX) {}
  // NOLINTEND(google-explicit-constructor)

  const char* data = nullptr;
  std::uint32_t number;
};

class TextWriter {
 public:
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;

  /// Appends `format` with each placeholder replaced by the next value: `%s` a text, `%d` a number in
  /// decimal, `%x` in eight lower-case hexadecimal digits, `%v` a packed version as major.minor.build.
  /// There must be as many values as placeholders, each of its kind.
  void format(const char* format, const TextValue* values);

  [[nodiscard]] bool is_overflowed() const { return size_ > capacity_; }
  [[nodiscard]] std::string_view text() const {
    return is_overflowed() ? std::string_view{} : std::string_view{buffer_, size_};
  }

 protected:
  TextWriter(char* buffer, std::size_t capacity) : buffer_(buffer), capacity_(capacity) {}

 private:
  void put(std::uint32_t c);
  void put_decimal(std::uint32_t number);
  void put_hex32(std::uint32_t number);

  char* buffer_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

template <std::size_t kCapacity>
class Text : public TextWriter {
 public:
  Text() : TextWriter(memory_, kCapacity) {}

 private:
  char memory_[kCapacity];
};

}  // namespace ota
