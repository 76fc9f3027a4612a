// Names of the cloud's resources, each a type of its own; one that exists is well-formed.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace otasim::cloud {

namespace detail {
constexpr bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
constexpr bool is_word_or_colon(char c) {
  return is_word(c) || c == ':';
}
}  // namespace detail

/// A name of 1 to Rule::kMaxLength characters that Rule::allows().
template <typename Rule>
class Identifier {
 public:
  /// @returns nothing for a name that is not well-formed
  [[nodiscard]] static std::optional<Identifier> parse(std::string_view text) {
    if (text.empty() || text.size() > Rule::kMaxLength || !std::ranges::all_of(text, Rule::allows)) {
      return std::nullopt;
    }
    return Identifier(std::string{text});
  }
  /// A name that was parsed before: from the store.
  [[nodiscard]] static Identifier trusted(std::string text) { return Identifier(std::move(text)); }

  [[nodiscard]] const std::string& str() const { return text_; }
  bool operator==(const Identifier&) const = default;
  bool operator<(const Identifier& other) const { return text_ < other.text_; }

 private:
  explicit Identifier(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct ThingNameRule {
  static constexpr std::size_t kMaxLength = 128;
  static constexpr bool allows(char c) { return detail::is_word_or_colon(c); }
};
struct JobIdRule {
  static constexpr std::size_t kMaxLength = 64;
  static constexpr bool allows(char c) { return detail::is_word(c); }
};
struct JobTemplateIdRule {
  static constexpr std::size_t kMaxLength = 64;
  static constexpr bool allows(char c) { return detail::is_word(c); }
};
struct StreamIdRule {
  static constexpr std::size_t kMaxLength = 128;
  static constexpr bool allows(char c) { return detail::is_word(c); }
};
struct OtaUpdateIdRule {
  static constexpr std::size_t kMaxLength = 128;
  static constexpr bool allows(char c) { return detail::is_word(c); }
};

struct GroupNameRule {
  static constexpr std::size_t kMaxLength = 128;
  static constexpr bool allows(char c) { return detail::is_word_or_colon(c); }
};

struct PolicyNameRule {
  static constexpr std::size_t kMaxLength = 128;
  static constexpr bool allows(char c) {
    return detail::is_word(c) || c == '+' || c == '=' || c == ',' || c == '.' || c == '@';
  }
};

using PolicyName = Identifier<PolicyNameRule>;
using ThingName = Identifier<ThingNameRule>;
using GroupName = Identifier<GroupNameRule>;
using JobId = Identifier<JobIdRule>;
using JobTemplateId = Identifier<JobTemplateIdRule>;
using StreamId = Identifier<StreamIdRule>;
using OtaUpdateId = Identifier<OtaUpdateIdRule>;

}  // namespace otasim::cloud
