#include "sim/scenario/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/file_io.h"

namespace otasim::scenario {
namespace {

int line_at(std::string_view text, std::size_t position) {
  return 1 + static_cast<int>(std::ranges::count(text.substr(0, position), '\n'));
}

/// A member's name as a part of a JSON pointer.
std::string escaped(std::string_view name) {
  std::string part;
  for (const char c : name) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

/// Walks over a text that the JSON parser has accepted, and notes the line of each value.
class LineScanner {
 public:
  struct Problem {
    int line = 0;
    std::string message;
  };

  explicit LineScanner(std::string_view text) : text_(text) {}

  std::optional<Problem> scan() {
    value("", 0);
    return problem_;
  }
  [[nodiscard]] std::map<std::string, int> take_lines() { return std::move(lines_); }

 private:
  void value(const std::string& pointer, int depth) {
    skip_blanks();
    lines_[pointer] = line_;
    if (depth > JsonText::kMaxDepth) return complain("nested too deeply");
    switch (peek()) {
      case '{':
        return object(pointer, depth);
      case '[':
        return array(pointer, depth);
      case '"':
        static_cast<void>(string());
        return;
      default:
        while (at_ < text_.size() && std::string_view("+-.eE").find(peek()) != std::string_view::npos) ++at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(peek())) != 0 ||
                                      std::string_view("+-.").find(peek()) != std::string_view::npos))
          ++at_;
    }
  }

  void object(const std::string& pointer, int depth) {
    ++at_;
    while (!problem_ && !closes('}')) {
      const int line = line_;
      const std::string name = string();
      const std::string child = pointer + '/' + escaped(name);
      if (lines_.contains(child)) {
        problem_ = Problem{line, fmt::format("'{}' is given twice", name)};
        return;
      }
      skip_blanks();
      ++at_;  // ':'
      value(child, depth + 1);
    }
  }

  void array(const std::string& pointer, int depth) {
    ++at_;
    for (int i = 0; !problem_ && !closes(']'); ++i) value(fmt::format("{}/{}", pointer, i), depth + 1);
  }

  /// Whether the list ends here; passes over a comma.
  bool closes(char end) {
    skip_blanks();
    if (peek() == ',') {
      ++at_;
      skip_blanks();
    }
    if (at_ >= text_.size()) return true;
    if (peek() != end) return false;
    ++at_;
    return true;
  }

  /// The raw characters between the quotes.
  std::string string() {
    const std::size_t start = at_;
    ++at_;
    while (at_ < text_.size() && peek() != '"') at_ += peek() == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    // The parser has accepted it, escapes included.
    return nlohmann::json::parse(text_.substr(start, at_ - start)).get<std::string>();
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("//")) {
        skip_to("\n");
      } else if (text_.substr(at_).starts_with("/*")) {
        skip_to("*/");
      } else if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        if (peek() == '\n') ++line_;
        ++at_;
      } else {
        return;
      }
    }
  }

  /// To behind the end of a comment; a line's end is left for the count.
  void skip_to(std::string_view end) {
    const std::size_t found = text_.find(end, at_ + 2);
    const std::size_t next = found == std::string_view::npos ? text_.size() : found;
    line_ += static_cast<int>(std::ranges::count(text_.substr(at_, next - at_), '\n'));
    at_ = std::min(text_.size(), end == "\n" ? next : next + end.size());
  }

  void complain(std::string message) { problem_ = Problem{line_, std::move(message)}; }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::map<std::string, int> lines_;
  std::optional<Problem> problem_;
};

}  // namespace

Result<JsonText> JsonText::parse(std::string_view text, std::string name) {
  if (text.size() > kMaxBytes) {
    return fail(ExitCode::kUsage, fmt::format("{}: is larger than {} bytes", name, kMaxBytes));
  }
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text, nullptr, true, true);
  } catch (const nlohmann::json::parse_error& error) {
    // "[json.exception.parse_error.101] parse error at line 3, column 5: syntax error ...": from there on.
    const std::string_view what = error.what();
    const std::size_t colon = what.find(": ");
    const std::size_t position = error.byte == 0 ? 0 : std::min(error.byte - 1, text.size());
    return fail(ExitCode::kUsage,
                fmt::format("{}:{}: no JSON: {}", name, line_at(text, position),
                            colon == std::string_view::npos ? what : what.substr(colon + 2)),
                "Scenario files are JSON; comments are allowed, a comma after the last element is not.");
  }
  LineScanner scanner(text);
  if (const auto problem = scanner.scan()) {
    return fail(ExitCode::kUsage, fmt::format("{}:{}: {}", name, problem->line, problem->message));
  }
  return JsonText(std::move(name), std::move(value), scanner.take_lines());
}

Result<JsonText> JsonText::read(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return fail(ExitCode::kUsage, bytes.error().message, bytes.error().hint);
  return parse({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, path);
}

int JsonText::line_of(std::string pointer) const {
  for (;;) {
    if (const auto found = lines_.find(pointer); found != lines_.end()) return found->second;
    const std::size_t slash = pointer.rfind('/');
    if (slash == std::string::npos) return 1;
    pointer.resize(slash);
  }
}

Error JsonText::error_at(const std::string& pointer, std::string_view message, std::string hint) const {
  return {ExitCode::kUsage, fmt::format("{}:{}: {}", name_, line_of(pointer), message), std::move(hint)};
}

}  // namespace otasim::scenario
