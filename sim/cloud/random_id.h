// Names that the cloud makes up: stream ids, object versions, thing ids.
#pragma once

#include <functional>
#include <string>

namespace otasim::cloud {

/// Makes a different UUID at each call. Injected, so that a run can be repeated with the same names.
using UuidSource = std::function<std::string()>;

/// A random UUID (version 4), from OpenSSL.
[[nodiscard]] std::string random_uuid();

}  // namespace otasim::cloud
