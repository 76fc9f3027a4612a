#include "sim/flash/flash_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "pal_sim/flash/window.h"
#include "sim/flash/qemu_arguments.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;

class FlashFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string path_ = folder_.file("flash.bin");
};

TEST_F(FlashFileTest, NewFileIsABlankPart) {
  const auto file = FlashFile::create(path_);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(std::filesystem::file_size(path_), ::flash::kWindowSize);
  EXPECT_EQ(::flash::part_of(file->bytes()), ::flash::kControllerPart);
  EXPECT_TRUE(std::ranges::all_of(file->bytes().first(::flash::kControllerPart.size),
                                  [](int b) { return b == 0xFF; }));
  EXPECT_THAT(file->otp(), Each(0xFF));
}

TEST_F(FlashFileTest, CreateNeverReplacesAPart) {
  ASSERT_TRUE(FlashFile::create(path_).has_value());
  const auto again = FlashFile::create(path_);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(again.error().message, HasSubstr(path_ + ": File exists"));
}

TEST_F(FlashFileTest, CreateSaysWhereItFailed) {
  const auto file = FlashFile::create(folder_.file("no/such/folder"));
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("no/such/folder: No such file or directory"));
}

TEST_F(FlashFileTest, EditsSurviveAndAreSeenByOtherMappings) {
  auto writer = FlashFile::create(path_);
  ASSERT_TRUE(writer.has_value());
  auto reader = FlashFile::open(path_);
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  writer->partition(::flash::kSlotB)[5] = 0x42;
  EXPECT_EQ(reader->bytes()[::flash::kSlotB.offset + 5], 0x42);

  reader = FlashFile::open(path_);
  writer = FlashFile::open(path_);
  EXPECT_EQ(writer->partition(::flash::kSlotB)[5], 0x42);
}

TEST_F(FlashFileTest, OpenRefusesAMissingFile) {
  const auto file = FlashFile::open(path_);
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("cannot open flash file " + path_));
}

TEST_F(FlashFileTest, OpenRefusesAnotherSize) {
  ASSERT_TRUE(FlashFile::create(path_).has_value());
  std::filesystem::resize_file(path_, ::flash::kWindowSize - 1);
  const auto file = FlashFile::open(path_);
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("exactly 16777216 bytes, and has 16777215"));
}

TEST_F(FlashFileTest, OpenRefusesAFileWithoutAController) {
  std::ofstream(path_).put('x');
  std::filesystem::resize_file(path_, ::flash::kWindowSize);
  const auto file = FlashFile::open(path_);
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("identification at 0xFFE000"));
}

TEST_F(FlashFileTest, OpenRefusesAFolder) {
  const auto file = FlashFile::open(folder_.file("."));
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ExitCode::kEnvironment);
}

TEST_F(FlashFileTest, PowerOnClearsLocksButKeepsTheArray) {
  auto file = FlashFile::create(path_);
  ASSERT_TRUE(file.has_value());
  file->bytes()[0] = 0;
  ::flash::write_register(file->bytes(), ::flash::controller::kRegLockCount, 3);
  ::flash::write_register(file->bytes(), ::flash::controller::kRegOtpLocked, 1);
  ::flash::write_register(file->bytes(), ::flash::controller::kRegSequence, 9);
  file->clear_volatile_state();
  EXPECT_EQ(::flash::read_register(file->bytes(), ::flash::controller::kRegLockCount), 0u);
  EXPECT_EQ(::flash::read_register(file->bytes(), ::flash::controller::kRegOtpLocked), 0u);
  EXPECT_EQ(::flash::read_register(file->bytes(), ::flash::controller::kRegSequence), 9u);
  EXPECT_EQ(file->bytes()[0], 0);
}

TEST(QemuArguments, ConnectWindowControllerAndResetLine) {
  const auto arguments = qemu_arguments(
      {.window_path = "/a,b/flash.bin", .plugin_path = "/p.so", .op_log_path = "/l.oplog", .seed = 7});
  EXPECT_THAT(arguments, Contains("memory-backend-file,id=mem,size=16M,mem-path=/a,,b/flash.bin,share=on"));
  EXPECT_THAT(arguments, Contains("/p.so,window=/a,,b/flash.bin,seed=7,address=553648128,oplog=/l.oplog"));
  EXPECT_THAT(arguments, Contains("loader,addr=0x21ffe030,data=0,data-len=8"));
}

TEST(QemuArguments, LeaveTheOpLogOutWhenThereIsNone) {
  const auto arguments = qemu_arguments({.window_path = "/f", .plugin_path = "/p.so"});
  EXPECT_THAT(arguments, Contains("/p.so,window=/f,seed=1,address=553648128"));
}

}  // namespace
}  // namespace otasim::flash_file
