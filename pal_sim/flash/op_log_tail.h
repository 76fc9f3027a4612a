// An op log that is still being written, read as it grows.
//
//   std::uint64_t at = 0;
//   while (...) {
//     const auto piece = read_op_log_piece(path, at, kPieceBytes);
//     at = piece->whole_bytes;                 // the next piece begins there
//   }
//
// A record of which only a part is there yet is left for the next call. A log that was emptied is shorter
// than `from`: the caller begins anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pal_sim/flash/op_log.h"

namespace flash {

/// @param from  0, or what an earlier piece's `whole_bytes` was
/// @param most  bytes to read; more than a record
/// @returns nothing, with errno set, as read_op_log() does, and ERANGE if the log is shorter than `from`
[[nodiscard]] std::optional<OpLog> read_op_log_piece(const std::string& path, std::uint64_t from,
                                                     std::size_t most);

}  // namespace flash
