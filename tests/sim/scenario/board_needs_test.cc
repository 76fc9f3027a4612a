#include "sim/scenario/board_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/scenario/library.h"

namespace otasim::scenario {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class BoardNeeds : public testing::Test {
 protected:
  /// A scenario with these members and steps, as the library finds it.
  Entry entry(const std::string& members, const std::string& steps = "") {
    const std::string path = folder.file("case.jsonc");
    EXPECT_TRUE(write_file_atomic(path, R"({"name": "case", "title": "T",
      "images": {"factory": {"version": "1.0.0"}}, "expect": {}, )" +
                                            members + R"("steps": [)" + steps + "]}"));
    auto found = find_scenarios({path});
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->front() : Entry{};
  }
  TempDir folder = TempDir::create().value();
};

TEST_F(BoardNeeds, AScenarioWithoutFaultsRunsOnEveryBoard) {
  EXPECT_EQ(entry("").boards, lab::board_names());
}

TEST_F(BoardNeeds, ACapabilityThatABoardHasNotLeavesItOut) {
  const Entry found = entry(R"("needs": ["otp"], )");
  EXPECT_THAT(found.boards, Contains("mps2-an385"));
  EXPECT_THAT(found.boards, Not(Contains("emcraft-sf2")));
  EXPECT_EQ(found.left_out.at("emcraft-sf2"), "it needs the capability 'otp'");
}

TEST_F(BoardNeeds, AFaultThatABoardsFlashCannotExpressLeavesItOut) {
  for (const Entry& found : {entry(R"("faults": [{"flash.erase_failure": {}}], )"),
                             entry("", R"({"fault": {"flash.erase_failure": {}}})")}) {
    EXPECT_THAT(found.boards, Contains("mps2-an385"));
    EXPECT_THAT(found.boards, Not(Contains("emcraft-sf2")));
    EXPECT_THAT(found.left_out.at("emcraft-sf2"),
                StartsWith("flash.erase_failure is not possible there: the drive sees results"));
    const std::vector<Entry> entries{found};
    EXPECT_THAT(why_left_out(entries, {.boards = {"emcraft-sf2"}}),
                HasSubstr("case leaves emcraft-sf2 out: flash"));
    EXPECT_EQ(why_left_out(entries, {.boards = {"mps2-an385"}}), "");
  }
}

TEST_F(BoardNeeds, AnOperationThatABoardHasNotLeavesItOut) {
  EXPECT_THAT(entry(R"("faults": [{"flash.power_cut": {"kind": "lock"}}], )").boards,
              Not(Contains("emcraft-sf2")));
  EXPECT_THAT(entry(R"("faults": [{"flash.power_cut": {"kind": "erase"}}], )").boards,
              Contains("emcraft-sf2"));
}

TEST_F(BoardNeeds, AStepForOtherBoardsDoesNotCount) {
  const Entry found = entry(
      "", R"({"fault": {"flash.erase_failure": {}}, "only": {"boards": ["mps2-an385", "mps2-an386"]}})");
  EXPECT_THAT(found.boards, Contains("emcraft-sf2"));
}

TEST(BoardNeedsLibrary, EveryScenarioOfTheLibraryStatesBoardsThatCanPlayIt) {
  const std::filesystem::path folder = OTASIM_SCENARIOS;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != kExtension) continue;
    const auto found = find_scenarios({file.path().string()});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_FALSE(found->front().boards.empty()) << file.path();
  }
}

}  // namespace
}  // namespace otasim::scenario
