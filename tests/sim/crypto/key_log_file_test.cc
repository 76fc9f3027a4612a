// The key log: whose it is, and that its lines are whole.
#include "sim/crypto/key_log_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "sim/base/temp_dir.h"

namespace otasim::crypto {
namespace {

class KeyLogFile : public ::testing::Test {
 protected:
  [[nodiscard]] std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] unsigned mode() const {
    struct stat info {};
    EXPECT_EQ(stat(path_.c_str(), &info), 0);
    return info.st_mode & 0777U;
  }

  TempDir folder_ = TempDir::create().value();
  std::string path_ = folder_.file("tls.keys");
};

TEST_F(KeyLogFile, IsItsOwnersAlone) {
  ASSERT_EQ(create_key_log(path_.c_str()), 0);
  EXPECT_EQ(mode(), 0600U);
}

TEST_F(KeyLogFile, OneThatIsThereIsGoneOnWithAndTakenFromOthers) {
  std::ofstream(path_) << "CLIENT_RANDOM 1 2\n";
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  ASSERT_EQ(create_key_log(path_.c_str()), 0);
  ASSERT_EQ(append_key_log(path_.c_str(), "CLIENT_RANDOM 3 4"), 0);
  EXPECT_EQ(mode(), 0600U);
  EXPECT_EQ(content(), "CLIENT_RANDOM 1 2\nCLIENT_RANDOM 3 4\n");
}

TEST_F(KeyLogFile, ALineDoesNotMakeTheFile) {
  EXPECT_EQ(append_key_log(path_.c_str(), "CLIENT_RANDOM 1 2"), ENOENT);
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(KeyLogFile, ALineIsNotFollowedElsewhere) {
  const std::string other = folder_.file("other");
  std::ofstream(other) << "";
  ASSERT_EQ(symlink(other.c_str(), path_.c_str()), 0);
  EXPECT_EQ(create_key_log(path_.c_str()), ELOOP);
  EXPECT_EQ(append_key_log(path_.c_str(), "CLIENT_RANDOM 1 2"), ELOOP);
}

TEST_F(KeyLogFile, TakesTheLongestLineAndNoLonger) {
  ASSERT_EQ(create_key_log(path_.c_str()), 0);
  EXPECT_EQ(append_key_log(path_.c_str(), std::string(kMaxKeyLogLine, 'x')), 0);
  EXPECT_EQ(append_key_log(path_.c_str(), std::string(kMaxKeyLogLine + 1, 'x')), EMSGSIZE);
  EXPECT_EQ(append_key_log(path_.c_str(), ""), EMSGSIZE);
  EXPECT_EQ(content().size(), kMaxKeyLogLine + 1);
}

}  // namespace
}  // namespace otasim::crypto
