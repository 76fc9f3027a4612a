// A request's members, read without trust: types, lengths, ranges and patterns as AWS's models state them.
//
//   std::optional<ApiError> error;
//   MemberReader body(json, "", error);
//   const std::string text = body.required_text("description", {.max = 2028});
//   const auto seconds = body.integer("expiresInSec", 60, 3600);
//   if (error) return tl::unexpected(*error);
//
// What is wrong with the first bad member is kept in `error`, and what is read after it is worth nothing: a
// handler reads all it needs and looks once. Unknown members are left alone, as AWS does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/rest/api_error.h"

namespace otasim::rest {

struct TextRule {
  std::size_t min = 0;
  std::size_t max = 65'536;
  /// Allowed characters; empty: any.
  bool (*allows)(char) = nullptr;
  const char* pattern = "";  ///< the same for the message
};

class MemberReader {
 public:
  using Json = nlohmann::ordered_json;

  /// @param object  lives as long as the reader; what is no object has no members
  /// @param from_texts  of a query: numbers and booleans are texts there
  MemberReader(const Json& object, std::string where, std::optional<ApiError>& error, bool from_texts = false)
      : object_(&object), where_(std::move(where)), error_(&error), from_texts_(from_texts) {}

  [[nodiscard]] bool has(const char* name) const { return find(name) != nullptr; }
  /// Nothing for one that is absent or null.
  [[nodiscard]] std::optional<std::string> text(const char* name, const TextRule& rule = {}) const;
  [[nodiscard]] std::string required_text(const char* name, const TextRule& rule = {}) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name, std::int64_t least,
                                                    std::int64_t most) const;
  [[nodiscard]] std::int64_t required_integer(const char* name, std::int64_t least, std::int64_t most) const;
  [[nodiscard]] bool boolean(const char* name) const;
  /// One of these names.
  [[nodiscard]] std::optional<std::string> one_of(const char* name,
                                                  const std::vector<std::string_view>& names) const;
  [[nodiscard]] std::optional<MemberReader> object(const char* name) const;
  [[nodiscard]] std::vector<MemberReader> objects(const char* name, std::size_t least,
                                                  std::size_t most) const;
  [[nodiscard]] std::vector<std::string> texts(const char* name, std::size_t least, std::size_t most,
                                               const TextRule& rule = {}) const;
  [[nodiscard]] std::map<std::string, std::string> text_map(const char* name,
                                                            const TextRule& value = {}) const;
  /// A member as it came; null if it is absent.
  [[nodiscard]] const Json* raw(const char* name) const { return find(name); }

  /// A name of a type of its own (identifiers.h). @param pattern  for the message
  template <typename Id>
  [[nodiscard]] std::optional<Id> identifier(const char* name, const char* pattern) const {
    const auto given = text(name);
    if (!given) return std::nullopt;
    auto id = Id::parse(*given);
    if (!id)
      fail_constraint(name, *given,
                      std::string("Member must satisfy regular expression pattern: ") + pattern);
    return id;
  }
  template <typename Id>
  [[nodiscard]] Id required_identifier(const char* name, const char* pattern) const {
    auto id = identifier<Id>(name, pattern);
    if (!id) fail_missing(name);
    return id ? *std::move(id) : Id::trusted({});
  }

  /// Names a member that breaks a rule of the caller's.
  void fail_constraint(std::string_view name, std::string_view value, std::string_view constraint) const;
  void fail_missing(std::string_view name) const;
  /// Any other problem.
  void fail(ApiError error) const;
  [[nodiscard]] bool failed() const { return error_->has_value(); }

 private:
  /// A list with so many elements; null, and an error unless it may be missing, if it is none.
  [[nodiscard]] const Json* list(const char* name, std::size_t least, std::size_t most) const;
  [[nodiscard]] const Json* find(const char* name) const;
  [[nodiscard]] std::string path_of(std::string_view name) const;
  void fail_type(std::string_view name, std::string_view expected) const;
  void check_text(std::string_view name, const std::string& text, const TextRule& rule) const;

  const Json* object_;
  std::string where_;  ///< `files.1.member.`
  std::optional<ApiError>* error_;
  bool from_texts_;
};

}  // namespace otasim::rest
