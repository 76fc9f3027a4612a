#include "sim/base/file_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sim/base/install_root.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unix_socket.h"

namespace otasim {
namespace {

using testing::HasSubstr;

class FileIoTest : public testing::Test {
 protected:
  std::string text(const std::string& path) {
    const auto content = read_file(path);
    EXPECT_TRUE(content.has_value());
    return content ? std::string(content->begin(), content->end()) : "";
  }

  TempDir dir_ = TempDir::create().value();
  std::string path_ = dir_.file("file");
};

TEST_F(FileIoTest, ReadsBackWhatWasWritten) {
  const std::vector<std::uint8_t> data(200'000, 0xA5);
  ASSERT_TRUE(write_file_atomic(path_, data));
  const auto content = read_file(path_);
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, data);
}

TEST_F(FileIoTest, ARegularFileIsReadUpToItsLimit) {
  ASSERT_TRUE(write_file_atomic(path_, "12345"));
  const auto content = read_regular_file(path_, 5);
  ASSERT_TRUE(content);
  EXPECT_EQ(std::string(content->begin(), content->end()), "12345");
  const auto longer = read_regular_file(path_, 4);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ExitCode::kUsage);
  EXPECT_THAT(longer.error().message, HasSubstr("more than 4 bytes"));
}

TEST_F(FileIoTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  for (const std::string& path :
       {path_, std::string("/dev/zero"), dir_.path().string(), std::string("/nonexistent")}) {
    const auto content = read_regular_file(path, 100);
    ASSERT_FALSE(content) << path;
    EXPECT_EQ(content.error().code, ExitCode::kUsage);
    EXPECT_THAT(content.error().message, HasSubstr(path));
  }
}

TEST_F(FileIoTest, ReplacesContentAndLeavesNoOtherFile) {
  ASSERT_TRUE(write_file_atomic(path_, "a longer first version"));
  ASSERT_TRUE(write_file_atomic(path_, "second"));
  EXPECT_EQ(text(path_), "second");
  const auto entries = std::filesystem::directory_iterator(dir_.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(FileIoTest, SetsTheModeAsked) {
  ASSERT_TRUE(write_file_atomic(path_, "secret", 0600));
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(FileIoTest, AFailedWriteKeepsTheOldFileAndCleansUp) {
  const std::string folder = dir_.file("folder");
  std::filesystem::create_directory(folder);  // a folder cannot be replaced by a file
  const auto result = write_file_atomic(folder, "data");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(result.error().message, HasSubstr(folder));
  const auto entries = std::filesystem::directory_iterator(dir_.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(FileIoTest, MissingFileSaysWhichAndWhy) {
  const auto content = read_file(path_);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message, "cannot read " + path_ + ": No such file or directory");
}

TEST_F(FileIoTest, AFolderIsNotAFile) {
  EXPECT_FALSE(read_file(dir_.path()));
}

TEST(InstallRoot, IsTwoLevelsAboveTheProgram) {
  const auto root = install_root();
  ASSERT_TRUE(root);
  EXPECT_TRUE(std::filesystem::exists(*root / "tests" / "sim_base_test")) << *root;
}

TEST(UnixSocketAddress, RefusesAPathThatWouldBeCut) {
  EXPECT_TRUE(unix_socket_address(std::string(107, 'x')));
  const auto address = unix_socket_address(std::string(108, 'x'));
  ASSERT_FALSE(address);
  EXPECT_THAT(address.error().hint, HasSubstr("TMPDIR"));
  EXPECT_FALSE(unix_socket_address(""));
}

}  // namespace
}  // namespace otasim
