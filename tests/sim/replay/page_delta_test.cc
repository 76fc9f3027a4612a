// A delta restores what was there, whatever its size; a forged one is refused, never obeyed beyond its
// memory.
#include "sim/replay/page_delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"

namespace otasim::replay {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHeader = 16;

class PageDelta : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.file("delta"); }
  void write(const Bytes& bytes) const {
    ASSERT_TRUE(write_file_atomic(path(), {bytes.begin(), bytes.end()}));
  }
  [[nodiscard]] Bytes stored() const {
    const auto bytes = read_file(path()).value();
    return {bytes.begin(), bytes.end()};
  }
  [[nodiscard]] ExitCode refusal(std::size_t size) const {
    Bytes content(size);
    const auto applied = apply_page_delta(path(), content);
    return applied ? ExitCode::kOk : applied.error().code;
  }

  TempDir folder_ = TempDir::create().value();
};

TEST_F(PageDelta, RestoresEveryChangeOfEverySize) {
  std::mt19937 random(20261128);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kPage - 1, kPage, kPage + 1, 5 * kPage + 77}) {
    for (int round = 0; round < 20; ++round) {
      Bytes base(size);
      std::ranges::generate(base, [&] { return static_cast<std::uint8_t>(random()); });
      Bytes now = base;
      for (int change = 0; change < round && size > 0; ++change) now[random() % size] ^= 0x5a;
      ASSERT_TRUE(write_page_delta(path(), base, now));
      Bytes content = base;
      ASSERT_TRUE(apply_page_delta(path(), content));
      EXPECT_EQ(content, now) << size << " bytes, " << round << " changes";
    }
  }
}

TEST_F(PageDelta, HoldsThePagesThatDifferAlone) {
  const Bytes base(64 * kPage, 0xff);
  Bytes now = base;
  ASSERT_TRUE(write_page_delta(path(), base, now));
  EXPECT_EQ(stored().size(), kHeader);
  now[3 * kPage] = 0;
  now[60 * kPage + 1] = 0;
  ASSERT_TRUE(write_page_delta(path(), base, now));
  EXPECT_EQ(stored().size(), kHeader + 2 * (4 + kPage));
}

TEST_F(PageDelta, IsItsOwnersAlone) {
  ASSERT_TRUE(write_page_delta(path(), Bytes(8), Bytes(8, 1)));
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(PageDelta, ACutOneIsRefusedUnlessAPageEndsThere) {
  const Bytes base(3 * kPage);
  ASSERT_TRUE(write_page_delta(path(), base, Bytes(3 * kPage, 1)));
  const Bytes whole = stored();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    const bool ends_a_page = length >= kHeader && (length - kHeader) % (4 + kPage) == 0;
    ASSERT_EQ(refusal(base.size()), ends_a_page ? ExitCode::kOk : ExitCode::kUsage) << length;
    if (length > kHeader + 8 && length < whole.size() - 8) length += 61;  // the edges byte by byte
  }
}

TEST_F(PageDelta, APageOutsideTheMemoryIsRefused) {
  ASSERT_TRUE(write_page_delta(path(), Bytes(2 * kPage), Bytes(2 * kPage, 1)));
  Bytes forged = stored();
  for (const std::uint8_t page : {std::uint8_t{2}, std::uint8_t{255}}) {
    forged[kHeader] = page;
    write(forged);
    EXPECT_EQ(refusal(2 * kPage), ExitCode::kUsage);
  }
  for (std::size_t i = 0; i < 4; ++i) forged[kHeader + i] = 0xff;
  write(forged);
  EXPECT_EQ(refusal(2 * kPage), ExitCode::kUsage);
}

TEST_F(PageDelta, AnotherSizeVersionOrFileIsRefused) {
  ASSERT_TRUE(write_page_delta(path(), Bytes(kPage), Bytes(kPage, 1)));
  EXPECT_EQ(refusal(kPage), ExitCode::kOk);
  EXPECT_EQ(refusal(kPage + 1), ExitCode::kUsage);
  Bytes forged = stored();
  forged[4] = 2;
  write(forged);
  EXPECT_EQ(refusal(kPage), ExitCode::kUsage);
  write(Bytes(64, 'x'));
  EXPECT_EQ(refusal(kPage), ExitCode::kUsage);
  std::filesystem::remove(path());
  EXPECT_NE(refusal(kPage), ExitCode::kOk);
}

TEST_F(PageDelta, ASparseFileHasTheSameBytes) {
  Bytes content(9 * kPage + 5);
  content[4 * kPage] = 7;
  content.back() = 9;
  ASSERT_TRUE(write_sparse_file(path(), content));
  EXPECT_EQ(stored(), content);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_LE(info.st_blocks * 512, static_cast<blkcnt_t>(3 * kPage)) << "zero pages take no room";
}

}  // namespace
}  // namespace otasim::replay
