// Buckets, versions and delete markers, and puts that come piece by piece.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/sim/cloud/object_store_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Bytes = std::vector<std::uint8_t>;

class VersionsTest : public ObjectStoreFixture {
 protected:
  Buckets& buckets() { return objects_->buckets(); }
  void make(const std::string& name, Versioning versioning) {
    ASSERT_TRUE(buckets().create(name));
    if (versioning == Versioning::kNever) return;
    ASSERT_TRUE(buckets().set_versioning(name, versioning));
  }
  std::vector<std::string> versions(const std::string& bucket) {
    std::vector<std::string> all;
    const auto page = objects_->list({.bucket = bucket, .all_versions = true}).value();
    for (const auto& object : page.objects) {
      all.push_back((object.is_delete_marker() ? "marker " : "") + object.location.version);
    }
    return all;
  }
};

TEST_F(VersionsTest, ABucketIsMadeOnceAndRemovedWhenEmpty) {
  EXPECT_EQ(buckets().describe("releases").error().code, "NoSuchBucket");
  ASSERT_TRUE(buckets().create("releases"));
  EXPECT_EQ(buckets().create("releases").error().code, "BucketAlreadyOwnedByYou");
  EXPECT_EQ(buckets().describe("releases")->created_at, kNow);
  EXPECT_EQ(buckets().describe("releases")->versioning, Versioning::kNever);
  const auto object = put_in("releases", "a", {1});
  EXPECT_EQ(buckets().remove("releases").error().code, "BucketNotEmpty");
  ASSERT_TRUE(objects_->remove(object.location));
  ASSERT_TRUE(buckets().remove("releases"));
  EXPECT_EQ(buckets().remove("releases").error().code, "NoSuchBucket");
}

TEST_F(VersionsTest, ADeleteMarkerAloneKeepsABucket) {
  make("releases", Versioning::kEnabled);
  const auto marker = objects_->delete_object("releases", "never-there").value();
  EXPECT_TRUE(marker.delete_marker);
  EXPECT_EQ(buckets().remove("releases").error().code, "BucketNotEmpty");
  EXPECT_TRUE(objects_->delete_object("releases", "never-there", marker.version)->delete_marker);
  EXPECT_TRUE(buckets().remove("releases"));
}

TEST_F(VersionsTest, BucketNamesAreThoseS3Takes) {
  for (const char* name : {"abc", "a-b", "a.b.c", "0-0", "1.2.3.4.5"})
    EXPECT_TRUE(is_bucket_name(name)) << name;
  EXPECT_TRUE(is_bucket_name(std::string(63, 'a')));
  for (const char* name : {"", "ab", "Abc", "a_b", "-ab", "ab-", "a..b", ".ab", "192.168.5.4", "xn--abc",
                           "abc-s3alias", "a/b", "a b", "abc\n"}) {
    EXPECT_FALSE(is_bucket_name(name)) << name;
    EXPECT_EQ(buckets().create(name).error().code, "InvalidBucketName") << name;
  }
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
}

TEST_F(VersionsTest, TheLabsOwnBucketsAreVersioned) {
  put("a", {1});
  EXPECT_EQ(buckets().describe("firmware")->versioning, Versioning::kEnabled);
  EXPECT_EQ(buckets().list()->size(), 1U);
}

TEST_F(VersionsTest, WithoutVersioningAnObjectIsReplacedAndDeletedForGood) {
  make("releases", Versioning::kNever);
  put_in("releases", "a", {1});
  const auto second = put_in("releases", "a", {2});
  EXPECT_EQ(second.location.version, "null");
  EXPECT_EQ(objects_->read_all(second.location).value(), Bytes{2});
  EXPECT_EQ(files().size(), 1U) << "the first one's content is gone";
  const auto deleted = objects_->delete_object("releases", "a").value();
  EXPECT_FALSE(deleted.delete_marker);
  EXPECT_THAT(deleted.version, IsEmpty());
  EXPECT_THAT(versions("releases"), IsEmpty());
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(VersionsTest, BlocksOfAReplacedNullVersionAreNotReadFromTheOldFile) {
  make("releases", Versioning::kNever);
  const auto object = put_in("releases", "a", {1});
  Bytes byte(1);
  ASSERT_TRUE(objects_->read(object.location, 0, byte));  // its file is open now
  put_in("releases", "a", {2});
  ASSERT_TRUE(objects_->read(object.location, 0, byte));
  EXPECT_EQ(byte, Bytes{2});
}

TEST_F(VersionsTest, ADeleteMarkerHidesTheVersionsBehindIt) {
  make("releases", Versioning::kEnabled);
  const auto object = put_in("releases", "a", {1});
  const auto marker = objects_->delete_object("releases", "a").value();
  EXPECT_TRUE(marker.delete_marker);

  EXPECT_EQ(objects_->describe("releases", "a").error().code, ErrorCode::kResourceNotFound);
  const auto hidden = objects_->find("releases", "a").error();
  EXPECT_EQ(hidden.code, "NoSuchKey");
  EXPECT_THAT(hidden.headers,
              ElementsAre(Pair("x-amz-delete-marker", "true"), Pair("x-amz-version-id", marker.version)));
  const auto itself = objects_->find("releases", "a", marker.version).error();
  EXPECT_EQ(itself.code, "MethodNotAllowed");
  EXPECT_THAT(objects_->list({.bucket = "releases"})->objects, IsEmpty());
  EXPECT_EQ(objects_->find("releases", "a", object.location.version)->size, 1);

  EXPECT_TRUE(objects_->delete_object("releases", "a", marker.version)->delete_marker);
  EXPECT_EQ(objects_->find("releases", "a")->location.version, object.location.version);
}

TEST_F(VersionsTest, SuspendedVersioningReplacesTheNullVersionOnly) {
  make("releases", Versioning::kNever);
  put_in("releases", "a", {1});
  ASSERT_TRUE(buckets().set_versioning("releases", Versioning::kEnabled));
  const auto kept = put_in("releases", "a", {2});
  ASSERT_TRUE(buckets().set_versioning("releases", Versioning::kSuspended));
  put_in("releases", "a", {3});
  EXPECT_THAT(versions("releases"), ElementsAre("null", kept.location.version));
  EXPECT_EQ(objects_->read_all({"releases", "a", "null"}).value(), Bytes{3});
  EXPECT_EQ(objects_->delete_object("releases", "a")->version, "null");
  EXPECT_THAT(versions("releases"), ElementsAre("marker null", kept.location.version));
  EXPECT_EQ(files().size(), 1U);
}

TEST_F(VersionsTest, HeadersAndChecksumAreKept) {
  make("releases", Versioning::kEnabled);
  const ObjectHeaders headers{{"content-type", "text/plain"}, {"x-amz-meta-note", "a: b"}};
  auto writer = objects_->begin_put({.bucket = "releases", .key = "a", .headers = headers}).value();
  ASSERT_TRUE(writer.append(Bytes{1}));
  ASSERT_TRUE(writer.finish({"CRC32", "pf/8Gw=="}));
  open();
  const auto object = objects_->find("releases", "a").value();
  EXPECT_EQ(object.headers, headers);
  EXPECT_EQ(object.checksum.algorithm, "CRC32");
  EXPECT_EQ(object.checksum.value, "pf/8Gw==");
}

TEST_F(VersionsTest, TooMuchMetadataIsRefused) {
  make("releases", Versioning::kEnabled);
  const auto put_with = [&](std::size_t bytes) {
    return objects_->begin_put(
        {.bucket = "releases", .key = "a", .headers = {{"x-amz-meta-n", std::string(bytes, 'x')}}});
  };
  EXPECT_TRUE(put_with(kMaxUserMetadataBytes - 1));
  EXPECT_EQ(put_with(kMaxUserMetadataBytes).error().code, "MetadataTooLarge");
}

TEST_F(VersionsTest, AWriterThatIsLetGoLeavesNothing) {
  make("releases", Versioning::kEnabled);
  {
    auto writer = objects_->begin_put({.bucket = "releases", .key = "a"}).value();
    ASSERT_TRUE(writer.append(pattern(100'000)));
    EXPECT_EQ(files().size(), 1U);
  }
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(versions("releases"), IsEmpty());
}

// A writer's file has no row while it is being written.
TEST_F(VersionsTest, OpeningSparesWhatAWriterIsStillWriting) {
  make("releases", Versioning::kEnabled);
  auto writer = objects_->begin_put({.bucket = "releases", .key = "a"}).value();
  ASSERT_TRUE(writer.append(Bytes{1, 2}));
  const ObjectStore opened_meanwhile(*database_, clock_, random_uuid, content_folder());
  ASSERT_TRUE(writer.append(Bytes{3}));
  EXPECT_EQ(objects_->read_all(writer.finish()->location).value(), (Bytes{1, 2, 3}));
}

TEST_F(VersionsTest, APutIntoABucketThatIsDeletedMeanwhileIsRefused) {
  make("releases", Versioning::kEnabled);
  {
    auto writer = objects_->begin_put({.bucket = "releases", .key = "a"}).value();
    ASSERT_TRUE(buckets().remove("releases"));
    EXPECT_EQ(writer.finish().error().code, "NoSuchBucket");
  }
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(VersionsTest, AnObjectBeyondTheLimitIsRefused) {
  options_.max_put_bytes = 10;
  open();
  make("releases", Versioning::kEnabled);
  auto writer = objects_->begin_put({.bucket = "releases", .key = "a"}).value();
  EXPECT_TRUE(writer.append(Bytes(10)));
  EXPECT_EQ(writer.append(Bytes(1)).error().code, "EntityTooLarge");
}

/// While it lives no file grows beyond so many bytes, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FullDisk() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    ::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(VersionsTest, AFullDiskIsAnInternalErrorAndLeavesNothing) {
  make("releases", Versioning::kEnabled);
  {
    auto writer = objects_->begin_put({.bucket = "releases", .key = "a"}).value();
    const FullDisk full(1'000'000);
    S3Result<void> added;
    for (int i = 0; i < 20 && added; ++i) added = writer.append(pattern(65'536));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().status, 500);
    EXPECT_EQ(added.error().code, "InternalError");
    EXPECT_THAT(added.error().cause, HasSubstr("cannot write"));
  }
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(versions("releases"), IsEmpty());
}

TEST_F(VersionsTest, ACopyIsAnObjectOfItsOwn) {
  make("releases", Versioning::kEnabled);
  make("archive", Versioning::kNever);
  const auto source = put_in("releases", "a", pattern(3'000'000));
  const auto copied = objects_->copy(source, {.bucket = "archive", .key = "b"}).value();
  ASSERT_TRUE(objects_->remove(source.location));
  EXPECT_EQ(objects_->read_all(copied.location).value(), pattern(3'000'000));
  EXPECT_EQ(copied.etag, source.etag);
  EXPECT_EQ(objects_->copy(copied, {.bucket = "none", .key = "b"}).error().code, "NoSuchBucket");
}

TEST_F(VersionsTest, AStoreOfAnEarlierVersionKeepsItsObjects) {
  const auto object = put("a", {1, 2, 3});
  ASSERT_TRUE(database_->run_script(
      "DROP TABLE signing_certificates; DROP TABLE signing_profiles; DROP TABLE signing_jobs;"
      "DROP TABLE upload_parts; DROP TABLE uploads; DROP TABLE buckets; DROP INDEX objects_by_content;"
      "DROP INDEX objects_in_order; ALTER TABLE objects DROP COLUMN content;"
      "ALTER TABLE objects DROP COLUMN headers; ALTER TABLE objects DROP COLUMN checksum;"
      "PRAGMA user_version = 5;"));
  open();
  EXPECT_EQ(objects_->read_all(object.location).value(), (Bytes{1, 2, 3}));
  EXPECT_EQ(buckets().describe("firmware")->versioning, Versioning::kEnabled);
  EXPECT_EQ(files().size(), 1U);
}

}  // namespace
}  // namespace otasim::cloud
