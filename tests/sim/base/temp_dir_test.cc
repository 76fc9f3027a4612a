#include "sim/base/temp_dir.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

namespace otasim {
namespace {

namespace fs = std::filesystem;

TEST(TempDir, RemovesItselfWithAllInIt) {
  fs::path path;
  {
    const auto dir = TempDir::create();
    ASSERT_TRUE(dir);
    path = dir->path();
    fs::create_directories(path / "a" / "b");
    std::ofstream(dir->file("a/b/file")) << "content";
    EXPECT_TRUE(fs::exists(path / "a/b/file"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempDir, KeepLeavesIt) {
  fs::path path;
  {
    auto dir = TempDir::create();
    ASSERT_TRUE(dir);
    path = dir->path();
    dir->keep();
  }
  EXPECT_TRUE(fs::exists(path));
  fs::remove(path);
}

TEST(TempDir, IsPrivateToThisUser) {
  const auto dir = TempDir::create();
  ASSERT_TRUE(dir);
  EXPECT_EQ(fs::status(dir->path()).permissions(), fs::perms::owner_all);
}

TEST(TempDir, MovingHandsTheFolderOver) {
  auto first = TempDir::create();
  ASSERT_TRUE(first);
  const fs::path path = first->path();
  std::optional<TempDir> second(std::move(*first));
  first = TempDir::create();
  EXPECT_TRUE(fs::exists(path)) << "the moved-from object removed it";
  second.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempDir, AnUnusableTmpdirIsExplained) {
  const char* saved = ::getenv("TMPDIR");
  const std::string before = saved != nullptr ? saved : "/tmp";
  ::setenv("TMPDIR", "/nonexistent", 1);
  const auto dir = TempDir::create();
  ::setenv("TMPDIR", before.c_str(), 1);
  ASSERT_FALSE(dir);
  EXPECT_NE(dir.error().message.find("/nonexistent"), std::string::npos);
  EXPECT_NE(dir.error().hint.find("TMPDIR"), std::string::npos);
}

TEST(TempDir, AProposedFolderIsMadeOnceForItsUserOnly) {
  const std::string path = TempDir::propose();
  EXPECT_FALSE(fs::exists(path)) << "it is only a name so far";
  EXPECT_NE(TempDir::propose(), path);
  const auto dir = TempDir::create_at(path);
  ASSERT_TRUE(dir);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  EXPECT_FALSE(TempDir::create_at(path)) << "somebody else's folder was taken";
}

}  // namespace
}  // namespace otasim
