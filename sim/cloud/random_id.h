// Names that the cloud makes up: stream ids, object versions, thing ids.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace otasim::cloud {

/// Makes a different UUID at each call. Injected, so that a run can be repeated with the same names.
using UuidSource = std::function<std::string()>;

/// A random UUID (version 4), from OpenSSL.
[[nodiscard]] std::string random_uuid();

inline constexpr std::size_t kUuidLength = 36;

/// Whether a text has a UUID's form: hexadecimal digits of either case, with dashes between.
[[nodiscard]] bool is_uuid(std::string_view text);

}  // namespace otasim::cloud
