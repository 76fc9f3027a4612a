// Tables for people: a heading and rows, columns as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace otasim::cli {

using TableRow = std::vector<std::string>;

/// @param rows  the heading first; all of the same length
/// @returns lines, each with its end; an empty cell is shown as "-"
[[nodiscard]] std::string format_table(const std::vector<TableRow>& rows);

}  // namespace otasim::cli
