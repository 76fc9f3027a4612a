// Wear and marginal cells by partition, with the part's own sectors.
#include "sim/inspect/cell_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/temp_dir.h"
#include "sim/flash/fault_file.h"

namespace otasim::inspect {
namespace {

using ::testing::IsEmpty;

TEST(CellReport, CountsErasesOfTheSectorsOfEachPartition) {
  flash::CellState cells;
  cells.power_ons = 3;
  cells.erase_counts[flash::kSlotB.offset / 4096] = 5;
  cells.erase_counts[flash::kSlotB.offset / 4096 + 1] = 2;
  const CellReport report = report_cells(cells, flash::kControllerPart);
  EXPECT_EQ(report.power_ons, 3U);
  ASSERT_EQ(report.partitions.size(), 1U);
  EXPECT_EQ(report.partitions[0].partition, "slot-b");
  EXPECT_EQ(report.partitions[0].erases, 7U);
  EXPECT_EQ(report.partitions[0].most_erases, 5U);
}

TEST(CellReport, ASectorIsWhereThePartHasIt) {
  flash::CellState cells;
  cells.erase_counts[1] = 1;
  EXPECT_EQ(report_cells(cells, flash::kControllerPart).partitions[0].partition, "boot-control-0");
  EXPECT_EQ(report_cells(cells, flash::kSpiNorPart).partitions[0].partition, "boot-control-1");
}

TEST(CellReport, MarginalCellsAreTold) {
  flash::CellState cells;
  cells.weaken(flash::kSlotA.offset + 7, 1);
  cells.weaken(flash::kSlotA.offset + 90, 0x80);
  cells.weaken(flash::kOtpOffset + 1, 1);
  const CellReport report = report_cells(cells, flash::kControllerPart);
  ASSERT_EQ(report.partitions.size(), 2U);
  EXPECT_EQ(report.partitions[0].marginal_bytes, 2U);
  EXPECT_EQ(report.partitions[0].first_marginal, flash::kSlotA.offset + 7);
  EXPECT_EQ(report.partitions[0].last_marginal, flash::kSlotA.offset + 90);
  EXPECT_EQ(report.partitions[1].partition, "otp");
}

TEST(CellReport, TheFaultFileBesideTheFlashFileIsRead) {
  const TempDir folder = TempDir::create().value();
  const std::string flash_path = folder.file("flash.bin");
  EXPECT_EQ(fault_file_of(flash_path), folder.file("flash.faults"));
  EXPECT_FALSE(read_cells_beside(flash_path).value());
  flash::CellState cells;
  cells.power_ons = 2;
  flash_file::FaultFile::prepare(folder.file("flash.faults")).value().store_cells(cells);
  EXPECT_EQ(read_cells_beside(flash_path).value(), cells);
  std::ofstream(folder.file("flash.faults"), std::ios::trunc) << "something else";
  EXPECT_FALSE(read_cells_beside(flash_path));
}

}  // namespace
}  // namespace otasim::inspect
