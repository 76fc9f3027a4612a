#include "sim/rest/member_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace otasim::rest {

namespace {

/// No message repeats more than this of what came.
constexpr std::size_t kMaxQuoted = 256;

}  // namespace

const MemberReader::Json* MemberReader::find(const char* name) const {
  if (!object_->is_object()) return nullptr;
  const auto found = object_->find(name);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::string MemberReader::path_of(std::string_view name) const {
  return where_ + std::string(name);
}

void MemberReader::fail(ApiError error) const {
  if (!*error_) *error_ = std::move(error);
}

void MemberReader::fail_missing(std::string_view name) const {
  fail(invalid_request(
      fmt::format("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
                  "Member must not be null",
                  path_of(name))));
}

void MemberReader::fail_type(std::string_view name, std::string_view expected) const {
  fail(invalid_request(fmt::format("{} must be {}.", path_of(name), expected)));
}

void MemberReader::fail_constraint(std::string_view name, std::string_view value,
                                   std::string_view constraint) const {
  fail(
      invalid_request(fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                                  "constraint: {}",
                                  value.substr(0, kMaxQuoted), path_of(name), constraint)));
}

void MemberReader::check_text(std::string_view name, const std::string& text, const TextRule& rule) const {
  if (text.size() < rule.min) {
    fail_constraint(name, text, fmt::format("Member must have length greater than or equal to {}", rule.min));
  } else if (text.size() > rule.max) {
    fail_constraint(name, text, fmt::format("Member must have length less than or equal to {}", rule.max));
  } else if (rule.allows != nullptr && !std::ranges::all_of(text, rule.allows)) {
    fail_constraint(name, text,
                    fmt::format("Member must satisfy regular expression pattern: {}", rule.pattern));
  }
}

std::optional<std::string> MemberReader::text(const char* name, const TextRule& rule) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    fail_type(name, "text");
    return std::nullopt;
  }
  auto text = value->get<std::string>();
  check_text(name, text, rule);
  return text;
}

std::string MemberReader::required_text(const char* name, const TextRule& rule) const {
  auto given = text(name, rule);
  if (!given) fail_missing(name);
  return given.value_or("");
}

std::optional<std::int64_t> MemberReader::integer(const char* name, std::int64_t least,
                                                  std::int64_t most) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = 0;
  if (from_texts_ && value->is_string()) {
    const auto& digits = value->get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
      fail_type(name, "an integer");
      return std::nullopt;
    }
  } else {
    const bool too_large =
        value->is_number_unsigned() && value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
    if (!value->is_number_integer() || too_large) {
      fail_type(name, "an integer");
      return std::nullopt;
    }
    number = value->get<std::int64_t>();
  }
  if (number < least) {
    fail_constraint(name, fmt::format("{}", number),
                    fmt::format("Member must have value greater than or equal to {}", least));
  } else if (number > most) {
    fail_constraint(name, fmt::format("{}", number),
                    fmt::format("Member must have value less than or equal to {}", most));
  }
  return number;
}

std::int64_t MemberReader::required_integer(const char* name, std::int64_t least, std::int64_t most) const {
  const auto given = integer(name, least, most);
  if (!given) fail_missing(name);
  return given.value_or(least);
}

bool MemberReader::boolean(const char* name) const {
  const Json* const value = find(name);
  if (value == nullptr) return false;
  if (from_texts_ && value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    if (text != "true" && text != "false") fail_type(name, "true or false");
    return text == "true";
  }
  if (!value->is_boolean()) {
    fail_type(name, "true or false");
    return false;
  }
  return value->get<bool>();
}

std::optional<std::string> MemberReader::one_of(const char* name,
                                                const std::vector<std::string_view>& names) const {
  auto given = text(name);
  if (given && std::ranges::find(names, *given) == names.end()) {
    std::string all;
    for (const std::string_view one : names) all += fmt::format("{}{}", all.empty() ? "" : ", ", one);
    fail_constraint(name, *given, fmt::format("Member must satisfy enum value set: [{}]", all));
  }
  return given;
}

std::optional<MemberReader> MemberReader::object(const char* name) const {
  const Json* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) {
    fail_type(name, "an object");
    return std::nullopt;
  }
  return MemberReader(*value, path_of(name) + ".", *error_);
}

const MemberReader::Json* MemberReader::list(const char* name, std::size_t least, std::size_t most) const {
  const Json* const value = find(name);
  if (value == nullptr) {
    if (least > 0) fail_missing(name);
    return nullptr;
  }
  if (value->is_array() && value->size() >= least && value->size() <= most) return value;
  fail_type(name, fmt::format("a list of {} to {}", least, most));
  return nullptr;
}

std::vector<MemberReader> MemberReader::objects(const char* name, std::size_t least, std::size_t most) const {
  std::vector<MemberReader> all;
  const Json* const value = list(name, least, most);
  if (value == nullptr) return all;
  for (const Json& one : *value) {
    const std::string where = fmt::format("{}.{}.member", path_of(name), all.size() + 1);
    if (!one.is_object()) {
      fail(invalid_request(where + " must be an object."));
      return {};
    }
    all.emplace_back(one, where + ".", *error_);
  }
  return all;
}

std::vector<std::string> MemberReader::texts(const char* name, std::size_t least, std::size_t most,
                                             const TextRule& rule) const {
  std::vector<std::string> all;
  const Json* const value = list(name, least, most);
  if (value == nullptr) return all;
  for (const Json& one : *value) {
    if (!one.is_string()) {
      fail_type(name, "a list of texts");
      return {};
    }
    all.push_back(one.get<std::string>());
    check_text(fmt::format("{}.{}.member", name, all.size()), all.back(), rule);
  }
  return all;
}

std::map<std::string, std::string> MemberReader::text_map(const char* name, const TextRule& rule) const {
  std::map<std::string, std::string> all;
  const Json* const value = find(name);
  if (value == nullptr) return all;
  if (!value->is_object()) {
    fail_type(name, "an object of texts");
    return all;
  }
  for (const auto& [key, entry] : value->items()) {
    if (!entry.is_string()) {
      fail_type(name, "an object of texts");
      return all;
    }
    all.emplace(key, entry.get<std::string>());
    check_text(fmt::format("{}.{}.member", name, key), all[key], rule);
  }
  return all;
}

}  // namespace otasim::rest
