#include "sim/base/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>

#include <fstream>

#include "sim/base/child_process.h"
#include "sim/base/temp_dir.h"

namespace otasim {
namespace {

class FileLockTest : public testing::Test {
 protected:
  [[nodiscard]] bool is_free() const {
    const UniqueFd file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  }
  TempDir dir_ = TempDir::create().value();
  std::string path_ = dir_.file("lock");
};

TEST_F(FileLockTest, IsHeldByOneAndTellsWho) {
  auto first = FileLock::take(path_).value();
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::take(path_).value());
  EXPECT_EQ(FileLock::holder(path_), ::getpid());
  first.reset();
  EXPECT_TRUE(FileLock::take(path_).value());
}

TEST_F(FileLockTest, AFileThatSaysNothingHasNoHolder) {
  EXPECT_FALSE(FileLock::holder(path_));
  std::ofstream(path_) << "nobody";
  EXPECT_FALSE(FileLock::holder(path_));
}

TEST_F(FileLockTest, AFileThatCannotBeMadeIsAnEnvironmentError) {
  const auto failed = FileLock::take("/nonexistent/lock");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ExitCode::kEnvironment);
}

TEST_F(FileLockTest, AChildHoldsItsParentsLockUntilItIsGone) {
  auto io = std::make_unique<boost::asio::io_context>();
  ASSERT_TRUE(hold_with_children(*io, path_));
  auto child = ChildProcess::spawn(*io, {.program = "sleep", .arguments = {"600"}}).value();
  // As a killed parent does: its own descriptor goes, the child's stays.
  const int inherited = descriptor_for_children(*io);
  ASSERT_GE(inherited, 0);
  ::close(inherited);
  EXPECT_FALSE(is_free());
  child->kill();
  EXPECT_TRUE(is_free());
  ASSERT_EQ(::open("/dev/null", O_RDONLY | O_CLOEXEC), inherited) << "for the io_context to close";
}

TEST_F(FileLockTest, ChildrenOfAnotherContextDoNotHoldIt) {
  boost::asio::io_context other;
  EXPECT_EQ(descriptor_for_children(other), -1);
}

}  // namespace
}  // namespace otasim
