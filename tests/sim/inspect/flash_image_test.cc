// A file that is no flash file of this layout is refused with the reason, and left as it is.
#include "sim/inspect/flash_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "pal_sim/flash/window.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"

namespace otasim::inspect {
namespace {

using ::testing::HasSubstr;
using namespace flash::controller;  // NOLINT(google-build-using-namespace): the registers' names

class FlashImageTest : public ::testing::Test {
 protected:
  FlashImageTest() { flash::format_window(bytes); }
  void expect_refused(const std::string& why) {
    ASSERT_TRUE(write_file_atomic(path, bytes));
    const auto read = read_flash_file(path);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ExitCode::kUsage);
    EXPECT_THAT(read.error().message, HasSubstr(why));
    EXPECT_EQ(read_file(path).value(), bytes) << "it is not mended";
  }

  TempDir folder = TempDir::create().value();
  std::string path = folder.file("flash.bin");
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(flash::kWindowSize);
};

TEST_F(FlashImageTest, EveryKindOfPartIsRead) {
  for (const flash::Geometry& part : flash::kParts) {
    flash::format_window(bytes, part);
    ASSERT_TRUE(write_file_atomic(path, bytes));
    const auto read = read_flash_file(path);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->part, part);
    EXPECT_EQ(read->bytes, bytes);
  }
}

TEST_F(FlashImageTest, AFileThatCannotBeWrittenIsRead) {
  ASSERT_TRUE(write_file_atomic(path, bytes, 0444));
  EXPECT_TRUE(read_flash_file(path).has_value());
}

TEST_F(FlashImageTest, AWrongSizeIsRefused) {
  bytes.pop_back();
  expect_refused("it has 16777215 bytes, not 16777216");
  bytes.resize(flash::kWindowSize + 1);
  expect_refused("flash.bin");
}

TEST_F(FlashImageTest, AnotherLayoutIsRefusedByWhatIsForeign) {
  flash::write_register(bytes, kRegId, 0x1234);
  expect_refused("its identification is 0x00001234");
  flash::write_register(bytes, kRegId, kId);
  flash::write_register(bytes, kRegVersion, 1);
  expect_refused("its layout has version 1, not ");
  flash::write_register(bytes, kRegVersion, kVersion);
  flash::write_register(bytes, kRegSectorSize, 512);
  expect_refused("sectors of 0x200");
}

TEST_F(FlashImageTest, WhatIsNoFileIsRefused) {
  EXPECT_FALSE(read_flash_file(folder.file("none")).has_value());
  EXPECT_FALSE(read_flash_file(folder.path()).has_value());
  EXPECT_FALSE(read_flash_file("/dev/zero").has_value());
}

}  // namespace
}  // namespace otasim::inspect
