#include "sim/device/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/base/json.h"

namespace otasim::device {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

class LineSplitterTest : public testing::Test {
 protected:
  std::vector<std::string> lines_;
  LineSplitter splitter_{[this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(LineSplitterTest, HandsOnALineOnceItIsComplete) {
  splitter_.feed("hel");
  EXPECT_THAT(lines_, IsEmpty());
  splitter_.feed("lo\nwor");
  EXPECT_THAT(lines_, ElementsAre("hello"));
  splitter_.feed("ld\n\n");
  EXPECT_THAT(lines_, ElementsAre("hello", "world", ""));
}

TEST_F(LineSplitterTest, DropsTheCarriageReturnOfALinesEndOnly) {
  splitter_.feed("a\r\nb\rc\r\n");
  EXPECT_THAT(lines_, ElementsAre("a", "b\\x0dc"));
}

TEST_F(LineSplitterTest, FinishHandsOnAnUnfinishedLineOnce) {
  splitter_.feed("no end");
  splitter_.finish();
  splitter_.finish();
  EXPECT_THAT(lines_, ElementsAre("no end"));
}

TEST_F(LineSplitterTest, EveryByteComesOutPrintableAndFitForJson) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    if (byte != '\n') all += static_cast<char>(byte);
  }
  splitter_.feed(all + "\n");
  ASSERT_EQ(lines_.size(), 1u);
  for (const char c : lines_[0]) EXPECT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
  EXPECT_NO_THROW((void)nlohmann::json(lines_[0]).dump());
}

TEST_F(LineSplitterTest, EscapedTextCannotBeMistakenForAnEscape) {
  EXPECT_EQ(escape_text("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(escape_text("\\x1b"), "\\\\x1b");
  EXPECT_EQ(escape_text("a\tb\0"s), "a\\tb\\x00");
}

TEST_F(LineSplitterTest, CutsALineWithoutEndIntoBoundedPieces) {
  splitter_.feed(std::string(2 * kMaxLineBytes + 1, 'x'));
  EXPECT_THAT(lines_, ElementsAre(std::string(kMaxLineBytes, 'x'), std::string(kMaxLineBytes, 'x')));
  splitter_.feed("\n");
  EXPECT_EQ(lines_.back(), "x");
}

TEST_F(LineSplitterTest, ALineOfTheLargestSizeStaysOne) {
  splitter_.feed(std::string(kMaxLineBytes, 'x') + "\n");
  EXPECT_EQ(lines_.size(), 1u);
}

TEST(LineSplitter, KeepsTheOrderWhenTheSinkFeedsMore) {
  std::vector<std::string> lines;
  LineSplitter* inner = nullptr;
  LineSplitter splitter([&](std::string_view line) {
    lines.emplace_back(line);
    if (line == "one") inner->feed("three\n");
  });
  inner = &splitter;
  splitter.feed("one\ntwo\n");
  EXPECT_THAT(lines, ElementsAre("one", "two", "three"));
}

}  // namespace
}  // namespace otasim::device
