// The first difference is named: line, operation or byte, also where one side is shorter.
#include "sim/replay/divergence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace otasim::replay {
namespace {

using testing::HasSubstr;

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Divergence, EqualConsolesAreNone) {
  EXPECT_FALSE(compare_console({}, {}));
  EXPECT_FALSE(compare_console(bytes("a\nb\n"), bytes("a\nb\n")));
}

TEST(Divergence, TheFirstConsoleLineThatDiffersIsQuoted) {
  const auto difference = compare_console(bytes("boot\nstart A\nend\n"), bytes("boot\nstart B\nend\n"));
  EXPECT_EQ(difference, "console line 2: recorded 'start A', replayed 'start B'");
}

TEST(Divergence, AConsoleThatEndsEarlyIsOne) {
  EXPECT_EQ(compare_console(bytes("a\nb\n"), bytes("a\n")),
            "console line 2: recorded 'b', replayed (nothing more)");
  EXPECT_EQ(compare_console(bytes("a\n"), bytes("a\nb\n")),
            "console line 2: recorded (nothing more), replayed 'b'");
}

TEST(Divergence, ForeignBytesAreShownAsText) {
  const auto difference = compare_console(bytes("\x1b[2J\n"), bytes("x\n"));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->find('\x1b'), std::string::npos);
}

TEST(Divergence, FlashIsComparedToItsLastByte) {
  const std::vector<std::uint8_t> recorded{1, 2, 3};
  EXPECT_FALSE(compare_flash(recorded, recorded));
  EXPECT_THAT(compare_flash(recorded, std::vector<std::uint8_t>{1, 2, 4}).value_or(""),
              HasSubstr("flash at 0x2 "));
  EXPECT_TRUE(compare_flash(recorded, std::vector<std::uint8_t>{1, 2}));
}

TEST(Divergence, ALogThatCannotBeReadIsAnError) {
  const auto compared = compare_operations("/none/flash.ops", {}, "/none/flash.ops");
  ASSERT_FALSE(compared);
  EXPECT_EQ(compared.error().code, ExitCode::kUsage);
}

}  // namespace
}  // namespace otasim::replay
