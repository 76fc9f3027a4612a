// Who has a file mapped is found, by whatever path it is asked for; the one that asks does not count.
#include "sim/base/file_users.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"

namespace otasim {
namespace {

using ::testing::IsEmpty;

constexpr std::size_t kSize = 4096;

void* map(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  return ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
}

/// A process that maps a file, says so, and stays until it is killed.
class Mapper {
 public:
  explicit Mapper(const std::string& path) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    pid = ::fork();
    if (pid == 0) {
      const char said = map(path) != MAP_FAILED ? 'y' : 'n';
      (void)!::write(ready[1], &said, 1);
      for (;;) ::pause();
    }
    char said = 'n';
    EXPECT_EQ(::read(ready[0], &said, 1), 1);
    EXPECT_EQ(said, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;
  ~Mapper() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  pid_t pid = -1;
};

class FileUsersTest : public ::testing::Test {
 protected:
  FileUsersTest() { EXPECT_TRUE(write_file_atomic(path, std::vector<std::uint8_t>(kSize))); }

  TempDir folder = TempDir::create().value();
  std::string path = folder.file("part");
};

TEST_F(FileUsersTest, NobodyUsesAFileThatNobodyHasMapped) {
  EXPECT_THAT(processes_that_map(path), IsEmpty());
  EXPECT_THAT(processes_that_map(folder.file("none")), IsEmpty());
}

TEST_F(FileUsersTest, TheOneThatAsksDoesNotCount) {
  void* const mapped = map(path);
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_THAT(processes_that_map(path), IsEmpty());
  ::munmap(mapped, kSize);
}

TEST_F(FileUsersTest, AProcessThatHasItMappedIsFoundByEveryPath) {
  const Mapper mapper(path);
  std::filesystem::create_symlink(path, folder.file("link"));
  for (const std::string& name :
       {path, folder.file("link"), folder.file("../") + folder.path().filename().string() + "/part"}) {
    const auto users = processes_that_map(name);
    ASSERT_EQ(users.size(), 1U) << name;
    EXPECT_EQ(users[0].pid, mapper.pid);
    EXPECT_NE(users[0].name, "");
  }
}

}  // namespace
}  // namespace otasim
