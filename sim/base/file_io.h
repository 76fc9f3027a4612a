// Whole files, read and written in one go.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"

namespace otasim {

/// Reads a whole file. @returns kEnvironment if it cannot be read
[[nodiscard]] Result<std::vector<std::uint8_t>> read_file(const std::string& path);

/// Reads a regular file of at most `max_bytes`; what it is not is found out before it is read, so that
/// neither a pipe nor a device file holds the caller up. @returns kUsage if it cannot be read, is something
/// else or longer
[[nodiscard]] Result<std::vector<std::uint8_t>> read_regular_file(const std::string& path,
                                                                  std::size_t max_bytes);

/// Replaces a file. Whatever happens, power loss included, `path` holds either all of the old content or all
/// of the new; the new content is on the disk when this returns.
///
/// @param mode  permissions, not reduced by the umask
/// @returns kEnvironment if the file cannot be written; `path` is then as it was
[[nodiscard]] Result<void> write_file_atomic(const std::string& path, std::span<const std::uint8_t> data,
                                             mode_t mode = 0644);
[[nodiscard]] Result<void> write_file_atomic(const std::string& path, std::string_view text,
                                             mode_t mode = 0644);

/// Writes all of `data` to a descriptor, however many calls that takes. @returns 0 or errno
[[nodiscard]] int write_all(int fd, std::span<const std::uint8_t> data);

}  // namespace otasim
