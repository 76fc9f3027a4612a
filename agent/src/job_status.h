// The messages a device sends to Jobs, byte for byte as the service and its tools expect them.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/include/ota.h"
#include "agent/src/text_builder.h"

namespace ota {

inline constexpr std::size_t kMaxStatusMessage = 160;
using StatusMessage = TextBuilder<kMaxStatusMessage>;

/// `{"clientToken":"N:T"}`; the token is at most 64 bytes, so a long thing name is cut.
[[nodiscard]] StatusMessage job_request_message(std::uint32_t request_number, std::string_view thing_name);

/// IN_PROGRESS with `received` of `total` blocks.
[[nodiscard]] StatusMessage progress_message(std::uint32_t received, std::uint32_t total);

/// IN_PROGRESS with self_test `ready` or `active`.
[[nodiscard]] StatusMessage self_test_message(std::string_view self_test, std::uint32_t running_version);

/// SUCCEEDED. Two blanks stand before each version.
[[nodiscard]] StatusMessage accepted_message(std::uint32_t version, std::uint32_t previous_version);

/// FAILED with `rejected: 0x...` or `aborted: 0x...`.
[[nodiscard]] StatusMessage failed_message(std::string_view word, std::uint32_t reason);

/// FAILED with two numbers.
[[nodiscard]] StatusMessage failed_with_values_message(std::uint32_t reason, std::uint32_t sub_reason);

}  // namespace ota
