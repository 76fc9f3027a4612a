// docs/flash-layout.md against the code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/flash_map.h"

namespace flash {
namespace {

using Row = std::vector<std::string>;

std::string trim(const std::string& text) {
  const auto begin = text.find_first_not_of(" `");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" `") - begin + 1);
}

Row cells_of(const std::string& line) {
  Row cells;
  for (std::size_t at = 1; at < line.size();) {
    const std::size_t end = line.find('|', at);
    if (end == std::string::npos) break;
    cells.push_back(trim(line.substr(at, end - at)));
    at = end + 1;
  }
  return cells;
}

// The rows below the table whose first heading is `first` and second is `second`.
std::vector<Row> table(const std::string& first, const std::string& second) {
  std::ifstream file(FLASH_LAYOUT_DOC);
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    const Row cells = line.starts_with('|') ? cells_of(line) : Row{};
    if (inside && cells.empty()) break;
    if (inside && !cells[0].starts_with("---")) rows.push_back(cells);
    if (cells.size() >= 2 && cells[0] == first && cells[1] == second) inside = true;
  }
  return rows;
}

std::uint32_t number(const std::string& text) {
  return static_cast<std::uint32_t>(std::stoul(text, nullptr, 0));
}

TEST(FlashLayout, DocumentShowsThePartitionTable) {
  const auto rows = table("Partition", "Offset");
  ASSERT_EQ(rows.size(), kPartitions.size()) << "rows in " << FLASH_LAYOUT_DOC;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 4u);
    EXPECT_EQ(rows[i][0], kPartitions[i].name);
    EXPECT_EQ(number(rows[i][1]), kPartitions[i].offset) << rows[i][0];
    EXPECT_EQ(number(rows[i][2]), kPartitions[i].size) << rows[i][0];
    EXPECT_EQ(rows[i][3], kPartitions[i].purpose) << rows[i][0];
  }
}

TEST(FlashLayout, DocumentShowsTheWindow) {
  const auto rows = table("Offset", "Size");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(number(rows[0][1]), kArraySize);
  EXPECT_EQ(number(rows[1][0]), kOtpOffset);
  EXPECT_EQ(number(rows[1][1]), kOtpSize);
  EXPECT_EQ(number(rows[2][0]), kRegistersOffset);
  EXPECT_EQ(number(rows[3][0]), kPageBufferOffset);
  EXPECT_EQ(number(rows[3][1]), kPageSize);
}

TEST(FlashLayout, DocumentShowsEveryRegister) {
  using namespace controller;
  const std::vector<std::pair<std::string, std::uint32_t>> expected{{"ID", kRegId},
                                                                    {"VERSION", kRegVersion},
                                                                    {"COMMAND", kRegCommand},
                                                                    {"STATUS", kRegStatus},
                                                                    {"OFFSET", kRegOffset},
                                                                    {"LENGTH", kRegLength},
                                                                    {"SEQUENCE", kRegSequence},
                                                                    {"ARRAY_SIZE", kRegArraySize},
                                                                    {"SECTOR_SIZE", kRegSectorSize},
                                                                    {"PAGE_SIZE", kRegPageSize},
                                                                    {"OTP_SIZE", kRegOtpSize},
                                                                    {"OTP_LOCKED", kRegOtpLocked},
                                                                    {"LOCK_COUNT", kRegLockCount},
                                                                    {"ENTROPY_COUNT", kRegEntropyCount},
                                                                    {"LOCKS", kRegLocks}};
  std::vector<std::pair<std::string, std::uint32_t>> shown;
  for (const Row& row : table("Offset", "Register")) {
    shown.emplace_back(row[1].substr(0, row[1].find(',')), number(row[0]));
  }
  EXPECT_EQ(shown, expected);
}

}  // namespace
}  // namespace flash
