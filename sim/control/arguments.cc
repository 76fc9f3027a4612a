#include "sim/control/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/base/json_members.h"

namespace otasim::control {

bool Arguments::has(const char* name) {
  known_.emplace_back(name);
  return values_.contains(name);
}

void Arguments::complain(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

std::string Arguments::text(const char* name) {
  if (!has(name)) complain(fmt::format("'{}' is missing", name));
  return text(name, {});
}

std::string Arguments::text(const char* name, std::string fallback) {
  return optional_text(name).value_or(std::move(fallback));
}

std::optional<std::string> Arguments::optional_text(const char* name) {
  if (!has(name)) return std::nullopt;
  auto value = text_member(values_, name);
  if (!value) complain(fmt::format("'{}' is no text", name));
  return value;
}

std::optional<std::int64_t> Arguments::optional_integer(const char* name) {
  if (!has(name)) return std::nullopt;
  const auto value = integer_member(values_, name);
  if (!value) complain(fmt::format("'{}' is no integer", name));
  return value;
}

bool Arguments::flag(const char* name) {
  if (!has(name)) return false;
  const auto value = flag_member(values_, name);
  if (!value) complain(fmt::format("'{}' is neither true nor false", name));
  return value.value_or(false);
}

std::vector<std::string> Arguments::texts(const char* name) {
  if (!has(name)) return {};
  auto value = texts_member(values_, name);
  if (!value) complain(fmt::format("'{}' is no list of texts", name));
  return std::move(value).value_or(std::vector<std::string>());
}

Result<void> Arguments::check() const {
  if (!problem_.empty()) return fail(ExitCode::kUsage, "wrong arguments: " + problem_);
  for (const auto& [name, value] : values_.items()) {
    if (std::ranges::find(known_, name) == known_.end()) {
      return fail(ExitCode::kUsage, fmt::format("wrong arguments: '{}' is unknown", name));
    }
  }
  return {};
}

}  // namespace otasim::control
