// Attributes of things and thing groups: names and values that queries can be about.
#pragma once

#include <map>
#include <string>

#include "sim/cloud/service_error.h"

namespace otasim::cloud {

using Attributes = std::map<std::string, std::string>;

/// How many a thing without a type may have.
inline constexpr std::size_t kMaxAttributes = 3;

/// @returns kInvalidRequest for a name or value that breaks AWS's patterns or lengths, or too many
[[nodiscard]] ServiceResult<void> check_attributes(const Attributes& attributes);

/// What is there after an update: all new ones, or merged into the old ones. An empty value takes one away.
[[nodiscard]] Attributes updated_attributes(const Attributes& old, const Attributes& changes, bool merge);

/// As the store keeps them.
[[nodiscard]] std::string attributes_to_text(const Attributes& attributes);
[[nodiscard]] Attributes attributes_from_text(const std::string& text);

}  // namespace otasim::cloud
