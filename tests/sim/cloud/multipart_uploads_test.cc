// Uploads in parts: what is made of them, and what is refused.
#include <gtest/gtest.h>

#include <array>

#include "sim/cloud/base64.h"
#include "sim/crypto/key.h"
#include "tests/sim/cloud/object_store_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Bytes = std::vector<std::uint8_t>;

class MultipartUploadsTest : public ObjectStoreFixture {
 protected:
  static constexpr std::int64_t kSmallest = 1000;

  MultipartUploadsTest() {
    options_.min_part_bytes = kSmallest;
    open();
    EXPECT_TRUE(objects_->buckets().create("releases"));
    EXPECT_TRUE(objects_->buckets().set_versioning("releases", Versioning::kEnabled));
  }

  UploadPlace begin(const std::string& key = "a", const std::string& algorithm = {}) {
    return uploads_
        ->create({.bucket = "releases",
                  .key = key,
                  .headers = {{"content-type", "text/plain"}},
                  .checksum = {algorithm, ""}})
        .value()
        .place;
  }
  PartInfo part(const UploadPlace& place, int number, const Bytes& content, ObjectChecksum checksum = {}) {
    auto writer = uploads_->begin_part(place, number).value();
    EXPECT_TRUE(writer.append(content));
    return writer.finish(std::move(checksum)).value();
  }
  std::string refusal(const UploadPlace& place, const std::vector<CompletedPart>& parts) {
    const auto done = uploads_->complete(place, parts);
    return done ? "none" : done.error().code;
  }
};

TEST_F(MultipartUploadsTest, PartsBecomeOneObjectInTheOrderOfTheirNumbers) {
  const auto place = begin();
  const auto second = part(place, 7, {9, 9});
  const auto first = part(place, 2, pattern(1500));
  const auto object = uploads_->complete(place, {{2, first.etag}, {7, second.etag}}).value();
  Bytes expected = pattern(1500);
  expected.insert(expected.end(), {9, 9});
  EXPECT_EQ(objects_->read_all(object.location).value(), expected);
  EXPECT_THAT(objects_->find("releases", "a")->headers,
              ElementsAre(ObjectHeaders::value_type{"content-type", "text/plain"}));
  EXPECT_THAT(files(), ElementsAre(object.content)) << "the parts are gone";
  EXPECT_EQ(refusal(place, {{2, first.etag}}), "NoSuchUpload");
}

// The MD5 of two MD5s: md5("a") and md5("b"), as `md5sum` gives it.
TEST_F(MultipartUploadsTest, TheEtagIsTheMd5OfThePartsMd5s) {
  options_.min_part_bytes = 1;
  open();
  const auto place = begin();
  const auto a = part(place, 1, {'a'});
  const auto b = part(place, 2, {'b'});
  EXPECT_EQ(a.etag, "0cc175b9c0f1b6a831c399e269772661");
  EXPECT_EQ(uploads_->complete(place, {{1, a.etag}, {2, b.etag}})->etag,
            "96e024ba2074fe77e8e965ba43a704be-2");
}

TEST_F(MultipartUploadsTest, ChecksumsOfAllPartsMakeOneOfTheObject) {
  const auto place = begin("a", "CRC32");
  const Bytes content = pattern(1000);
  const std::string sum = base64_encode(digest_of(DigestKind::kCrc32, content));
  const auto first = part(place, 1, content, {"CRC32", sum});
  const auto second = part(place, 2, content, {"CRC32", sum});
  EXPECT_EQ(refusal(place, {{1, first.etag, "AAAAAA=="}}), "InvalidPart");
  const auto object = uploads_->complete(place, {{1, first.etag, sum}, {2, second.etag, sum}}).value();
  Bytes sums = digest_of(DigestKind::kCrc32, content);
  sums.insert(sums.end(), sums.begin(), sums.begin() + 4);
  EXPECT_EQ(object.checksum.value, base64_encode(digest_of(DigestKind::kCrc32, sums)) + "-2");
}

TEST_F(MultipartUploadsTest, APartIsReplacedByTheNextOfItsNumber) {
  const auto place = begin();
  const auto old = part(place, 1, {1});
  const auto now = part(place, 1, {2});
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(refusal(place, {{1, old.etag}}), "InvalidPart");
  EXPECT_EQ(objects_->read_all(uploads_->complete(place, {{1, now.etag}})->location).value(), Bytes{2});
}

TEST_F(MultipartUploadsTest, WhatCannotBeCompletedIsRefusedAndStays) {
  const auto place = begin();
  const auto small = part(place, 1, Bytes(kSmallest - 1));
  const auto large = part(place, 2, Bytes(kSmallest));
  EXPECT_EQ(refusal(place, {}), "MalformedXML");
  EXPECT_EQ(refusal(place, {{3, small.etag}}), "InvalidPart");
  EXPECT_EQ(refusal(place, {{1, large.etag}}), "InvalidPart");
  EXPECT_EQ(refusal(place, {{2, large.etag}, {1, small.etag}}), "InvalidPartOrder");
  EXPECT_EQ(refusal(place, {{2, large.etag}, {2, large.etag}}), "InvalidPartOrder");
  EXPECT_EQ(refusal(place, {{1, small.etag}, {2, large.etag}}), "EntityTooSmall");
  EXPECT_EQ(refusal({"releases", "other", place.id}, {{2, large.etag}}), "NoSuchUpload");
  EXPECT_EQ(refusal({"none", "a", place.id}, {{2, large.etag}}), "NoSuchBucket");
  EXPECT_EQ(refusal(place, {{2, large.etag}}), "none");
}

TEST_F(MultipartUploadsTest, AnAbortedUploadIsGoneWithItsParts) {
  const auto place = begin();
  part(place, 1, {1});
  auto late = uploads_->begin_part(place, 2).value();
  ASSERT_TRUE(uploads_->abort(place));
  EXPECT_EQ(uploads_->abort(place).error().code, "NoSuchUpload");
  EXPECT_EQ(late.finish().error().code, "NoSuchUpload");
  EXPECT_EQ(uploads_->begin_part(place, 1).error().code, "NoSuchUpload");
}

TEST_F(MultipartUploadsTest, UploadsSurviveAndPartsAreNoOrphans) {
  const auto place = begin();
  const auto kept = part(place, 1, {1});
  open();
  const auto page = uploads_->list_parts(place, 0, 10).value();
  ASSERT_EQ(page.parts.size(), 1U);
  EXPECT_EQ(page.parts[0].etag, kept.etag);
  EXPECT_EQ(refusal(place, {{1, kept.etag}}), "none");
}

TEST_F(MultipartUploadsTest, ABucketTakesItsUploadsAlong) {
  part(begin(), 1, {1});
  ASSERT_TRUE(objects_->buckets().remove("releases"));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(MultipartUploadsTest, PartNumbersAreOneToTenThousand) {
  const auto place = begin();
  EXPECT_TRUE(uploads_->begin_part(place, 1));
  EXPECT_TRUE(uploads_->begin_part(place, kMaxPartNumber));
  for (const int number : {0, -1, kMaxPartNumber + 1}) {
    EXPECT_EQ(uploads_->begin_part(place, number).error().code, "InvalidArgument") << number;
  }
}

TEST_F(MultipartUploadsTest, APartMayBeARangeOfAnObject) {
  const auto source = put_in("releases", "source", pattern(5000));
  const auto place = begin();
  const auto copied = uploads_->copy_part(place, 1, source, 100, 2000).value();
  const Bytes all = pattern(5000);
  EXPECT_EQ(objects_->read_all(uploads_->complete(place, {{1, copied.etag}})->location).value(),
            Bytes(all.begin() + 100, all.begin() + 2100));
}

TEST_F(MultipartUploadsTest, PartsAndUploadsAreListedPageByPage) {
  const auto place = begin("b");
  for (const int number : {3, 1, 2}) part(place, number, {1});
  const auto first = uploads_->list_parts(place, 0, 2).value();
  EXPECT_EQ(first.next, 2);
  EXPECT_EQ(uploads_->list_parts(place, first.next, 2)->parts.at(0).number, 3);
  EXPECT_EQ(uploads_->list_parts(place, first.next, 2)->next, 0);

  begin("a");
  begin("b");
  std::vector<std::string> keys;
  ListUploadsRequest request{.bucket = "releases", .limit = 1};
  UploadPage page;
  do {
    page = uploads_->list(request).value();
    ASSERT_EQ(page.uploads.size(), 1U);
    keys.push_back(page.uploads[0].place.key);
    request.key_marker = page.uploads[0].place.key;
    request.upload_id_marker = page.uploads[0].place.id;
  } while (page.is_truncated);
  EXPECT_THAT(keys, ElementsAre("a", "b", "b"));
  EXPECT_THAT(uploads_->list({.bucket = "releases", .prefix = "b", .key_marker = "b"})->uploads, IsEmpty());
  EXPECT_EQ(uploads_->list({.bucket = "none"}).error().code, "NoSuchBucket");
}

struct KnownDigest {
  DigestKind kind;
  const char* of_digits;  ///< of "123456789", hex
};

// The check values of the CRC catalogue, and of RFC 1321 and FIPS 180 as `openssl dgst` gives them.
TEST(Digest, HasTheKnownValuesHoweverTheContentIsCut) {
  constexpr std::array kKnown{
      KnownDigest{DigestKind::kCrc32, "cbf43926"}, KnownDigest{DigestKind::kCrc32c, "e3069283"},
      KnownDigest{DigestKind::kMd5, "25f9e794323b453885f5181f1b624d0b"},
      KnownDigest{DigestKind::kSha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"},
      KnownDigest{DigestKind::kSha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"}};
  const std::string digits = "123456789";
  const Bytes all(digits.begin(), digits.end());
  for (const auto& known : kKnown) {
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
      Digest digest(known.kind);
      digest.update(std::span(all).first(cut));
      digest.update(std::span(all).subspan(cut));
      EXPECT_EQ(crypto::hex(digest.finish()), known.of_digits) << checksum_name(known.kind) << " " << cut;
    }
  }
}

}  // namespace
}  // namespace otasim::cloud
