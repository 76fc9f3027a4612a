#include "sim/cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace otasim::cli {

std::string format_table(const std::vector<TableRow>& rows) {
  const auto shown = [](const std::string& cell) { return cell.empty() ? std::string("-") : cell; };
  std::vector<std::size_t> widths;
  for (const TableRow& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], shown(row[i]).size());
  }
  std::string text;
  for (const TableRow& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", shown(row[i]), widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace otasim::cli
