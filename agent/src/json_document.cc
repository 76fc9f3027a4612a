#include "agent/src/json_document.h"

namespace ota {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// RFC 8259, section 6.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t integer = at;
  at = skip_digits(text, at);
  if (at == integer || (text[integer] == '0' && at != integer + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

bool is_literal(std::string_view text) {
  return text == "true" || text == "false" || text == "null" || is_number(text);
}

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return true;
  }
  return false;
}

}  // namespace

/// Walks the tokens in document order and checks that the text between them is exactly the punctuation JSON
/// asks for. The tokenizer finds where values begin and end, but lets much else pass.
class JsonDocument::Checker {
 public:
  explicit Checker(const JsonDocument& document) : document_(document) {}

  bool check() {
    for (Token token = 0; token < document_.count_; ++token) {
      if (!enter(token)) return false;
    }
    while (depth_ != 0) {
      if (!close_container()) return false;
    }
    return only_space(at_, document_.text_.size());
  }

 private:
  struct Container {
    std::size_t end;
    bool is_object;
    bool is_empty;
    bool wants_value;
  };

  bool enter(Token token) {
    const jsmntok_t& t = document_.tokens_[token];
    const std::size_t quote = t.type == JSMN_STRING ? 1 : 0;
    const std::size_t begin = static_cast<std::size_t>(t.start) - quote;
    while (depth_ != 0 && open_[depth_ - 1].end <= begin) {
      if (!close_container()) return false;
    }
    if (!check_separator(begin, t.type)) return false;

    if (t.type == JSMN_OBJECT || t.type == JSMN_ARRAY) {
      if (depth_ == kMaxDepth) return false;
      open_[depth_++] = {static_cast<std::size_t>(t.end), t.type == JSMN_OBJECT, true, false};
      at_ = begin + 1;
      return true;
    }
    at_ = static_cast<std::size_t>(t.end) + quote;
    const std::string_view text = document_.text(token);
    return t.type == JSMN_STRING ? !has_control_character(text) : is_literal(text);
  }

  bool check_separator(std::size_t begin, jsmntype_t type) {
    if (depth_ == 0) return at_ == 0 && type == JSMN_OBJECT && only_space(0, begin);
    Container& container = open_[depth_ - 1];
    if (container.wants_value) {
      container.wants_value = false;
      return only(':', begin);
    }
    if (container.is_object && type != JSMN_STRING) return false;
    const bool is_first = container.is_empty;
    container.is_empty = false;
    container.wants_value = container.is_object;
    return is_first ? only_space(at_, begin) : only(',', begin);
  }

  bool close_container() {
    const Container& container = open_[--depth_];
    if (container.wants_value || container.end <= at_) return false;
    if (!only_space(at_, container.end - 1)) return false;
    at_ = container.end;
    return true;
  }

  bool only_space(std::size_t from, std::size_t to) const {
    for (; from < to; ++from) {
      if (!is_space(document_.text_[from])) return false;
    }
    return from == to;
  }

  /// Between at_ and `to` stands `separator` once, and white space.
  bool only(char separator, std::size_t to) const {
    std::size_t at = at_;
    while (at < to && is_space(document_.text_[at])) ++at;
    return at < to && document_.text_[at] == separator && only_space(at + 1, to);
  }

  const JsonDocument& document_;
  std::array<Container, kMaxDepth> open_;
  std::size_t depth_ = 0;
  std::size_t at_ = 0;
};

bool JsonDocument::parse(std::string_view text) {
  text_ = text;
  count_ = 0;
  has_duplicate_ = false;
  jsmn_parser parser;
  jsmn_init(&parser);
  const int count = jsmn_parse(&parser, text.data(), text.size(), tokens_.data(), kMaxTokens);
  if (count <= 0) return false;
  count_ = static_cast<std::size_t>(count);
  return Checker(*this).check();
}

JsonDocument::Token JsonDocument::after(Token token) const {
  const int end = tokens_[token].end;
  Token next = token + 1;
  while (next < count_ && tokens_[next].start < end) ++next;
  return next;
}

JsonDocument::Token JsonDocument::find(Token object, const char* key) {
  if (!is_object(object)) return kNone;
  Token found = kNone;
  const Token end = after(object);
  for (Token name = object + 1; name < end; name = after(name + 1)) {
    if (!is(name, key)) continue;
    if (found != kNone) {
      has_duplicate_ = true;
      return kNone;
    }
    found = name + 1;
  }
  return found;
}

JsonDocument::Token JsonDocument::element(Token array, std::size_t index) const {
  if (!is_array(array)) return kNone;
  const Token end = after(array);
  Token token = array + 1;
  for (; token < end && index != 0; --index) token = after(token);
  return token < end ? token : kNone;
}

std::string_view JsonDocument::text(Token token) const {
  if (token >= count_) return {};
  const jsmntok_t& t = tokens_[token];
  return {text_.data() + t.start, static_cast<std::size_t>(t.end - t.start)};
}

bool JsonDocument::is(Token token, const char* other) const {
  return text(token) == other;
}

}  // namespace ota
