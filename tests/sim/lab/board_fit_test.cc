// Which programs fit which boards, with the build's own: each fits its board, and what does not fit says why.
#include "sim/lab/board_fit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/file_io.h"
#include "sim/lab/build_products.h"

namespace otasim::lab {
namespace {

using testing::HasSubstr;

std::vector<std::uint8_t> program(std::string_view name, std::string_view board) {
  return read_file(find_program(fmt::format("{}-{}.elf", name, board)).value()).value();
}

TEST(BoardFit, TheBuildsProgramsFitTheirBoards) {
  for (const Board& board : boards()) {
    const auto application = application_payload(program("demo", board.name), board);
    EXPECT_TRUE(application) << board.name << ": " << application.error().message;
    const auto bootloader = check_bootloader(program("bootloader", board.name), board);
    EXPECT_TRUE(bootloader) << board.name << ": " << bootloader.error().message;
  }
}

TEST(BoardFit, AProgramForAnotherProcessorIsNamed) {
  const auto refused = application_payload(program("demo", "mps2-an500"), *find_board("mps2-an385"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);
  EXPECT_EQ(refused.error().message,
            "the program was compiled for ARMv7E-M with FPv5, and mps2-an385 has a Cortex-M3");
  EXPECT_EQ(refused.error().hint, "It would fit: mps2-an500 (--board).");
}

TEST(BoardFit, AnOlderArchitectureRunsOnANewerProcessor) {
  EXPECT_TRUE(application_payload(program("demo", "mps2-an385"), *find_board("mps2-an500")));
}

TEST(BoardFit, AProgramWhoseMemoryIsNotThereIsRefused) {
  const auto refused = application_payload(program("demo", "mps2-an385"), *find_board("mps2-an505"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "the application's stack begins at 0x20400000, and its RAM on mps2-an505 is 0x28200000..0x28400000");
  EXPECT_EQ(refused.error().hint, "It would fit: mps2-an385, mps2-an386, mps2-an500 (--board).");
  EXPECT_FALSE(application_payload(program("demo", "emcraft-sf2"), *find_board("mps2-an385")));
}

TEST(BoardFit, ABootloaderIsNoApplicationAndTheOtherWayRound) {
  const Board& board = *find_board("mps2-an385");
  const auto bootloader = application_payload(program("bootloader", board.name), board);
  ASSERT_FALSE(bootloader);
  EXPECT_THAT(bootloader.error().message, HasSubstr("below the image's start 0x00100200"));
  const auto application = check_bootloader(program("demo", board.name), board);
  ASSERT_FALSE(application);
  EXPECT_THAT(application.error().message,
              HasSubstr("and the boot ROM of mps2-an385 is 0x00000000..0x00040000"));
  EXPECT_THAT(application.error().hint, HasSubstr("It fits none of otasim's boards."));
}

}  // namespace
}  // namespace otasim::lab
