// The store's tables, and how an older file becomes a newer one.
#pragma once

#include "sim/base/result.h"
#include "sim/cloud/database.h"

namespace otasim::cloud {

/// Brings a store, new or of an earlier version, to this program's schema.
/// @param up_to  an earlier version at which to stop, for tests of what comes after it
/// @returns kEnvironment for a store of a later version, or if the store fails
[[nodiscard]] Result<void> migrate(Database& database, std::optional<std::int64_t> up_to = std::nullopt);

}  // namespace otasim::cloud
