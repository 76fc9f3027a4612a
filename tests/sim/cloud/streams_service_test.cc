#include "sim/cloud/streams_service.h"

#include "tests/sim/cloud/cloud_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Bytes = std::vector<std::uint8_t>;

class StreamsServiceTest : public CloudFixture {
 protected:
  /// Makes stream `s` with a file of this size.
  void make_stream(std::size_t size) {
    content_ = pattern(size);
    const auto made = cloud_->streams().create({.id = stream_, .files = {{0, upload(content_).location}}});
    ASSERT_TRUE(made) << made.error().message;
  }

  ServiceResult<std::int64_t> get(const GetStreamRequest& request) {
    served_.clear();
    bytes_ = 0;
    return cloud_->streams().get_blocks(stream_, request, [&](const StreamBlock& block) {
      served_.push_back(block.index);
      bytes_ += block.data.size();
      const auto start = static_cast<std::size_t>(block.index * request.block_size);
      ASSERT_LE(start + block.data.size(), content_.size());
      EXPECT_TRUE(std::ranges::equal(block.data, std::span(content_).subspan(start, block.data.size())));
    });
  }

  void expect_error(const GetStreamRequest& request, ErrorCode code) {
    const auto result = get(request);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(served_, IsEmpty());
  }

  const StreamId stream_ = StreamId::parse("s").value();
  Bytes content_;
  std::vector<std::int64_t> served_;
  std::size_t bytes_ = 0;
};

TEST_F(StreamsServiceTest, TheWorkedBitmapExampleServesItsFourBlocks) {
  make_stream(256 * 50);
  const auto count = get({.block_size = 256, .offset = 20, .bitmap = Bytes{0x13, 0x00, 0x80}});
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(*count, 4);
  EXPECT_THAT(served_, ElementsAre(20, 21, 24, 43));
}

TEST_F(StreamsServiceTest, TheCountLimitsHowManyOfABitmapAreServed) {
  make_stream(256 * 50);
  ASSERT_TRUE(get({.block_size = 256, .block_count = 2, .bitmap = Bytes{0x13, 0x00, 0x80}}));
  EXPECT_THAT(served_, ElementsAre(0, 1));
}

TEST_F(StreamsServiceTest, OffsetAndCountNameARun) {
  make_stream(256 * 50);
  ASSERT_TRUE(get({.block_size = 256, .offset = 47, .block_count = 10}));
  EXPECT_THAT(served_, ElementsAre(47, 48, 49));
  ASSERT_TRUE(get({.block_size = 256, .offset = 3, .block_count = 0}));
  EXPECT_THAT(served_, IsEmpty());
}

TEST_F(StreamsServiceTest, TheLastBlockIsShort) {
  make_stream(4096 + 100);
  ASSERT_TRUE(get({.block_size = 4096}));
  EXPECT_THAT(served_, ElementsAre(0, 1));
  EXPECT_EQ(bytes_, 4096U + 100U);
}

TEST_F(StreamsServiceTest, ARequestBringsAtMost128KiB) {
  make_stream(4096 * 100);
  ASSERT_TRUE(get({.block_size = 4096}));
  EXPECT_EQ(served_.size(), 32U);
  ASSERT_TRUE(get({.block_size = 4096, .block_count = 98304}));
  EXPECT_EQ(served_.size(), 32U);
  ASSERT_TRUE(get({.block_size = 4096, .bitmap = Bytes(13, 0xFF)}));
  EXPECT_EQ(served_.size(), 32U);
  ASSERT_TRUE(get({.block_size = 131072}));
  EXPECT_THAT(served_, ElementsAre(0));
}

TEST_F(StreamsServiceTest, BitsBeyondTheFileAreIgnored) {
  make_stream(256 * 3);
  ASSERT_TRUE(get({.block_size = 256, .bitmap = Bytes(100, 0xFF)}));
  EXPECT_THAT(served_, ElementsAre(0, 1, 2));
  ASSERT_TRUE(get({.block_size = 256, .bitmap = Bytes{}}));
  EXPECT_THAT(served_, IsEmpty());
}

TEST_F(StreamsServiceTest, LimitsAreEnforcedByName) {
  make_stream(4096);
  expect_error({.block_size = 255}, ErrorCode::kBlockSizeOutOfBounds);
  expect_error({.block_size = 131073}, ErrorCode::kBlockSizeOutOfBounds);
  expect_error({.block_size = -1}, ErrorCode::kBlockSizeOutOfBounds);
  expect_error({.block_size = 256, .offset = -1}, ErrorCode::kOffsetOutOfBounds);
  expect_error({.block_size = 256, .offset = 98305}, ErrorCode::kOffsetOutOfBounds);
  expect_error({.block_size = 256, .offset = 16}, ErrorCode::kOffsetOutOfBounds);
  expect_error({.block_size = 256, .block_count = -1}, ErrorCode::kBlockCountLimitExceeded);
  expect_error({.block_size = 256, .block_count = 98305}, ErrorCode::kBlockCountLimitExceeded);
  expect_error({.block_size = 256, .bitmap = Bytes(12288, 1)}, ErrorCode::kBlockBitmapLimitExceeded);
  expect_error({.file_id = 1, .block_size = 256}, ErrorCode::kResourceNotFound);
  expect_error({.block_size = 256, .expected_version = 2}, ErrorCode::kVersionMismatch);
  ASSERT_TRUE(get({.block_size = 256, .bitmap = Bytes(12287, 0), .expected_version = 1}));
}

TEST_F(StreamsServiceTest, AnEmptyFileHasNoBlocks) {
  make_stream(0);
  const auto count = get({.block_size = 256});
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(*count, 0);
}

TEST_F(StreamsServiceTest, DescribeNamesFilesAndSizes) {
  const auto first = upload(pattern(10)).location;
  const auto second = upload(pattern(20)).location;
  ASSERT_TRUE(
      cloud_->streams().create({.id = stream_, .files = {{3, first}, {7, second}}, .description = "two"}));
  const auto description = cloud_->streams().describe(stream_);
  ASSERT_TRUE(description);
  EXPECT_EQ(description->version, 1);
  EXPECT_EQ(description->description, "two");
  ASSERT_EQ(description->files.size(), 2U);
  EXPECT_EQ(description->files[0].file_id, 3);
  EXPECT_EQ(description->files[0].size, 10);
  EXPECT_EQ(description->files[1].file_id, 7);
  EXPECT_EQ(description->files[1].size, 20);
}

TEST_F(StreamsServiceTest, AStreamStaysWithTheVersionItWasMadeFor) {
  make_stream(1000);
  upload(pattern(2000));
  ASSERT_TRUE(get({.block_size = 256}));
  EXPECT_EQ(bytes_, 1000U);
}

TEST_F(StreamsServiceTest, AStreamNeedsFilesThatExist) {
  const auto missing = cloud_->streams().create({.id = stream_, .files = {{0, {"firmware", "none", ""}}}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kResourceNotFound);
  const auto object = upload(pattern(1)).location;
  EXPECT_EQ(cloud_->streams().create({.id = stream_, .files = {}}).error().code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(cloud_->streams().create({.id = stream_, .files = {{256, object}}}).error().code,
            ErrorCode::kInvalidRequest);
  ASSERT_FALSE(cloud_->streams().describe(stream_)) << "a refused stream was made";
  ASSERT_TRUE(cloud_->streams().create({.id = stream_, .files = {{0, object}}}));
  EXPECT_EQ(cloud_->streams().create({.id = stream_, .files = {{0, object}}}).error().code,
            ErrorCode::kResourceAlreadyExists);
}

TEST_F(StreamsServiceTest, AnObjectThatLostItsBytesIsAnInternalError) {
  make_stream(1000);
  std::filesystem::remove_all(folder_.path() / "objects");
  expect_error({.block_size = 256}, ErrorCode::kInternalError);
}

TEST_F(StreamsServiceTest, AnUpdateReplacesWhatIsGivenAndRaisesTheVersion) {
  make_stream(300);
  content_ = pattern(500);
  ASSERT_TRUE(cloud_->streams().update(
      {.id = stream_, .files = std::vector{StreamFile{0, upload(content_).location}}}));
  EXPECT_EQ(cloud_->streams().describe(stream_)->version, 2);
  expect_error({.block_size = 256, .expected_version = 1}, ErrorCode::kVersionMismatch);
  ASSERT_TRUE(get({.block_size = 256, .expected_version = 2}));
  EXPECT_EQ(bytes_, 500U);
  ASSERT_TRUE(cloud_->streams().update({.id = stream_, .description = "words"}));
  const auto info = cloud_->streams().describe(stream_).value();
  EXPECT_EQ(info.version, 3);
  EXPECT_EQ(info.description, "words");
  EXPECT_EQ(info.files.size(), 1U);
  EXPECT_EQ(cloud_->streams().update({.id = StreamId::parse("none").value()}).error().code,
            ErrorCode::kResourceNotFound);
  EXPECT_EQ(cloud_->streams().update({.id = stream_, .files = std::vector<StreamFile>{}}).error().code,
            ErrorCode::kInvalidRequest);
  EXPECT_EQ(cloud_->streams().describe(stream_)->version, 3) << "a refused update changes nothing";
}

TEST_F(StreamsServiceTest, AnObjectThatChangesUnderAStreamIsNotServed) {
  content_ = pattern(300);
  upload(content_);
  ASSERT_TRUE(cloud_->streams().create({.id = stream_, .files = {{0, {"firmware", "app.bin", ""}}}}));
  ASSERT_TRUE(get({.block_size = 256}));
  upload(pattern(301));
  expect_error({.block_size = 256}, ErrorCode::kETagMismatch);
  upload(content_);
  ASSERT_TRUE(get({.block_size = 256})) << "the same content again";
}

TEST_F(StreamsServiceTest, AVersionThatIsNamedIsServedWhateverComesLater) {
  make_stream(300);
  upload(pattern(301));
  ASSERT_TRUE(get({.block_size = 256}));
  EXPECT_EQ(bytes_, 300U);
}

TEST_F(StreamsServiceTest, FilesThatCannotBeServedAreRefusedWhenTheStreamIsMade) {
  const auto object = upload(pattern(10)).location;
  const auto refusal = [&](std::vector<StreamFile> files) {
    const auto made = cloud_->streams().create({.id = stream_, .files = std::move(files)});
    return made ? std::string{"none"} : std::string{to_string(made.error().code)};
  };
  EXPECT_EQ(refusal({}), "InvalidRequest");
  EXPECT_EQ(refusal({{256, object}}), "InvalidRequest");
  EXPECT_EQ(refusal({{-1, object}}), "InvalidRequest");
  EXPECT_EQ(refusal({{1, object}, {1, object}}), "InvalidRequest");
  EXPECT_EQ(refusal(std::vector<StreamFile>(51, StreamFile{0, object})), "InvalidRequest");
  EXPECT_EQ(refusal({{0, {"firmware", "none", ""}}}), "ResourceNotFound");
  EXPECT_FALSE(cloud_->streams().describe(stream_));
  EXPECT_EQ(refusal({{0, object}, {255, object}}), "none");
  EXPECT_EQ(refusal({{0, object}}), "ResourceAlreadyExists");
}

TEST_F(StreamsServiceTest, ADeletedStreamIsGoneAndItsNameFree) {
  make_stream(300);
  ASSERT_TRUE(cloud_->streams().remove(stream_));
  expect_error({.block_size = 256}, ErrorCode::kResourceNotFound);
  EXPECT_EQ(cloud_->streams().remove(stream_).error().code, ErrorCode::kResourceNotFound);
  make_stream(300);
}

TEST_F(StreamsServiceTest, ListsGoOnBehindTheirTokens) {
  const auto object = upload(pattern(10)).location;
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(cloud_->streams().create({.id = StreamId::parse(id).value(), .files = {{0, object}}}));
  }
  const auto first = cloud_->streams().list({.max_results = 2}).value();
  ASSERT_EQ(first.items.size(), 2U);
  const auto second = cloud_->streams().list({.max_results = 2, .next_token = first.next_token}).value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].id.str(), "c");
  EXPECT_EQ(second.next_token, "");
}

}  // namespace
}  // namespace otasim::cloud
