// Plans come back in order, each when the device has asked as often as it had; a torn last one is none.
#include "sim/flash/plan_log.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "sim/base/temp_dir.h"

namespace otasim::flash_file {
namespace {

class PlanLogFile : public testing::Test {
 protected:
  [[nodiscard]] static FaultPlan plan(std::uint32_t id) {
    FaultPlan made{};
    made.faults[0].id = id;
    return made;
  }
  void record(std::initializer_list<std::pair<std::uint64_t, std::uint32_t>> plans) const {
    auto log = PlanLog::create(path()).value();
    for (const auto& [questions, id] : plans) log.append(questions, plan(id));
  }
  [[nodiscard]] std::string path() const { return folder_.file("plans"); }

  TempDir folder_ = TempDir::create().value();
};

TEST_F(PlanLogFile, APlanIsDueWhenTheDeviceHasAskedAsOften) {
  record({{0, 1}, {5, 2}, {5, 3}, {9, 4}});
  auto log = PlanLog::open(path()).value();
  EXPECT_EQ(log.due(0)->faults[0].id, 1U);
  EXPECT_FALSE(log.due(4));
  EXPECT_EQ(log.due(5)->faults[0].id, 2U);
  EXPECT_EQ(log.due(5)->faults[0].id, 3U);
  EXPECT_FALSE(log.due(8));
  EXPECT_EQ(log.due(100)->faults[0].id, 4U);
  EXPECT_FALSE(log.due(1000));
  log.rewind();
  EXPECT_EQ(log.due(0)->faults[0].id, 1U);
}

TEST_F(PlanLogFile, ATornLastPlanIsNone) {
  record({{1, 1}, {2, 2}});
  std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 1);
  auto log = PlanLog::open(path()).value();
  EXPECT_EQ(log.due(9)->faults[0].id, 1U);
  EXPECT_FALSE(log.due(9));
}

TEST_F(PlanLogFile, WhatIsNoPlanLogIsRefused) {
  EXPECT_FALSE(PlanLog::open(path())) << "there is none";
  std::ofstream(path()) << "OTPL";
  EXPECT_FALSE(PlanLog::open(path())) << "cut within the header";
  std::ofstream(path()) << std::string(256, 'x');
  EXPECT_FALSE(PlanLog::open(path()));
  EXPECT_FALSE(PlanLog::create(folder_.file("none/plans")));
}

TEST_F(PlanLogFile, OneThatCannotBeMadeIsAnError) {
  std::filesystem::create_symlink("/dev/full", path());
  EXPECT_FALSE(PlanLog::create(path()));
}

TEST_F(PlanLogFile, OneThatCannotBeWrittenToItsEndIsNone) {
  auto log = PlanLog::create(path()).value();
  log.append(1, plan(1));
  ASSERT_TRUE(PlanLog::open(path()));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{std::filesystem::file_size(path()) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  log.append(2, plan(2));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  log.append(3, plan(3));
  EXPECT_FALSE(PlanLog::open(path())) << "the second plan would be missing";
}

}  // namespace
}  // namespace otasim::flash_file
