// A device's flash, followed through a log that grows.
#include <gtest/gtest.h>

#include "sim/base/json.h"
#include "sim/web/flash_follower.h"
#include "tests/sim/report/html/run_folder_fixture.h"

namespace otasim::web {
namespace {

using nlohmann::json;
using test::RunFolder;

class FlashFollowerTest : public ::testing::Test {
 protected:
  void write_pages(unsigned first, unsigned count) {
    const std::vector<std::uint8_t> page(flash::kPageSize, 0xA5);
    for (unsigned i = first; i < first + count; ++i)
      ASSERT_EQ(run.at(1000 + i).program(flash::kSlotB.offset + i * flash::kPageSize, page),
                flash::Status::kOk);
  }
  json whole() { return json::parse(follower.whole(anchors)); }
  json news() {
    const std::string text = follower.news(anchors);
    return text.empty() ? json() : json::parse(text);
  }

  RunFolder run;
  inspect::Keys keys;
  FlashFollower::Anchors anchors{{0, RunFolder::kEpochUs}};
  FlashFollower follower{"thing-1", run.device(), keys};
};

TEST_F(FlashFollowerTest, TellsTheWholeAndThenTheNews) {
  write_pages(0, 3);
  const json message = whole();
  EXPECT_EQ(message.at("type"), "flash");
  EXPECT_EQ(message.at("device"), "thing-1");
  const json& track = message.at("track");
  EXPECT_EQ(track.at("operations").size(), 3U);
  EXPECT_EQ(track.at("operations").at(0).at(0), 1000) << "on the events' clock";
  EXPECT_EQ(track.at("before").size(), 1U) << "the factory's page";
  EXPECT_TRUE(track.at("states").contains("boot-control"));
  EXPECT_TRUE(news().is_null()) << "nothing has happened";
  write_pages(3, 2);
  const json more = news();
  EXPECT_EQ(more.at("type"), "operations");
  EXPECT_EQ(more.at("from"), 3);
  EXPECT_EQ(more.at("rows").size(), 2U);
}

TEST_F(FlashFollowerTest, ASlotIsDecodedWhenTheWritingPauses) {
  EXPECT_EQ(whole().at("track").at("states").at("slot-b").size(), 1U);
  write_pages(0, 1);
  EXPECT_FALSE(news().at("states").contains("slot-b"));
  EXPECT_TRUE(news().at("states").contains("slot-b")) << "no more has come: now it is looked at";
  EXPECT_TRUE(news().is_null());
}

TEST_F(FlashFollowerTest, ALogThatWasBegunAnewIsToldWhole) {
  write_pages(0, 4);
  (void)whole();
  ASSERT_TRUE(flash::empty_op_log(run.device() + "/flash.ops"));
  const json message = news();
  EXPECT_EQ(message.at("type"), "flash");
  EXPECT_EQ(message.at("track").at("operations").size(), 0U);
}

TEST_F(FlashFollowerTest, ATornTailWaitsForItsRest) {
  write_pages(0, 1);
  (void)whole();
  const std::string path = run.device() + "/flash.ops";
  write_pages(1, 1);
  const auto size = std::filesystem::file_size(path);
  const auto bytes = read_file(path).value();
  std::filesystem::resize_file(path, size - 10);
  EXPECT_TRUE(news().is_null());
  std::ofstream rest(path, std::ios::binary | std::ios::app);
  rest.write(reinterpret_cast<const char*>(bytes.data() + size - 10), 10);
  rest.close();
  EXPECT_EQ(news().at("rows").size(), 1U);
}

TEST_F(FlashFollowerTest, WithoutALogItSaysSoUntilThereIsOne) {
  const std::string before = run.device() + "/factory.bin";
  std::filesystem::rename(before, before + ".away");
  EXPECT_TRUE(whole().at("track").contains("problem"));
  EXPECT_TRUE(news().is_null());
  std::filesystem::rename(before + ".away", before);
  EXPECT_TRUE(news().at("track").contains("operations"));
}

}  // namespace
}  // namespace otasim::web
