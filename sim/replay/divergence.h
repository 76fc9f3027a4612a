// Where a replay differs from its recording, for people: the first line, operation or byte.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sim/base/result.h"
#include "sim/replay/boot_files.h"
#include "sim/replay/recording.h"

namespace otasim::replay {

/// Compares consoles byte for byte. @returns nothing if they are equal
[[nodiscard]] std::optional<std::string> compare_console(std::span<const std::uint8_t> recorded,
                                                         std::span<const std::uint8_t> replayed);

/// Compares op logs, all but the times. @returns nothing if they are equal; kUsage if a log cannot be read
[[nodiscard]] Result<std::optional<std::string>> compare_operations(const std::string& recorded_path,
                                                                    const ByteRange& range,
                                                                    const std::string& replayed_path);

[[nodiscard]] std::optional<std::string> compare_flash(std::span<const std::uint8_t> recorded,
                                                       std::span<const std::uint8_t> replayed);

}  // namespace otasim::replay
