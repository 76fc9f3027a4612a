// S3's real clients, the `aws` command line and boto3, against a lab without devices.
#include <gmock/gmock.h>

#include <set>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/running_lab.h"
#include "sim/rest/s3_operations.h"
#include "tests/sim/rest/aws_clients_fixture.h"

namespace otasim::rest {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Bytes = std::vector<std::uint8_t>;
using Json = nlohmann::json;

Bytes pattern(std::size_t size) {
  Bytes content(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : content) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return content;
}

class S3ClientsTest : public test::AwsClientsFixture {
 protected:
  std::string write(const std::string& name, const Bytes& content) {
    EXPECT_TRUE(write_file_atomic(client->file(name), content));
    return client->file(name);
  }
  Bytes content_of(const std::string& bucket, const std::string& key, const std::string& version = {}) {
    const auto object = lab->cloud().objects().describe(bucket, key, version);
    EXPECT_TRUE(object) << bucket << "/" << key;
    return object ? lab->cloud().objects().read_all(object->location).value() : Bytes{};
  }
};

TEST_F(S3ClientsTest, TheCommandLineCopiesListsMovesAndRemoves) {
  const Bytes small = pattern(1000);
  const std::string image = write("app.bin", small);
  EXPECT_THAT(aws({"s3", "mb", "s3://firmware"}), HasSubstr("make_bucket: firmware"));
  EXPECT_THAT(aws_error({"s3", "mb", "s3://firmware"}), HasSubstr("BucketAlreadyOwnedByYou"));
  aws({"s3", "cp", image, "s3://firmware/releases/app v1+2.bin"});
  EXPECT_EQ(content_of("firmware", "releases/app v1+2.bin"), small);
  EXPECT_THAT(aws({"s3", "ls"}), HasSubstr("firmware"));
  EXPECT_THAT(aws({"s3", "ls", "s3://firmware/"}), HasSubstr("PRE releases/"));
  EXPECT_THAT(aws({"s3", "ls", "s3://firmware/releases/"}), HasSubstr("1000 app v1+2.bin"));
  aws({"s3", "cp", "s3://firmware/releases/app v1+2.bin", client->file("back.bin")});
  EXPECT_EQ(read_file(client->file("back.bin")).value(), small);
  aws({"s3", "mv", "s3://firmware/releases/app v1+2.bin", "s3://firmware/app.bin"});
  EXPECT_EQ(content_of("firmware", "app.bin"), small);
  EXPECT_FALSE(lab->cloud().objects().describe("firmware", "releases/app v1+2.bin"));
  EXPECT_THAT(aws_error({"s3", "rb", "s3://firmware"}), HasSubstr("BucketNotEmpty"));
  aws({"s3", "rm", "s3://firmware", "--recursive"});
  aws({"s3", "rb", "s3://firmware"});
  EXPECT_EQ(lab->cloud().objects().buckets().describe("firmware").error().code, "NoSuchBucket");
}

TEST_F(S3ClientsTest, TheCommandLineUploadsInPartsAndSynchronizes) {
  aws({"s3", "mb", "s3://firmware"});
  const Bytes large = pattern(20'000'000);
  const std::string path = write("large.bin", large);
  aws({"s3", "cp", path, "s3://firmware/large.bin", "--no-progress"});
  EXPECT_EQ(content_of("firmware", "large.bin"), large);
  EXPECT_THAT(lab->cloud().objects().describe("firmware", "large.bin")->etag, ::testing::EndsWith("-3"));
  aws({"s3", "cp", "s3://firmware/large.bin", client->file("back.bin"), "--no-progress"});
  EXPECT_EQ(read_file(client->file("back.bin")).value(), large) << "fetched in ranges";
  aws({"s3", "cp", "s3://firmware/large.bin", "s3://firmware/copy.bin", "--no-progress"});
  EXPECT_EQ(content_of("firmware", "copy.bin"), large) << "copied in parts";
  aws({"s3", "sync", "s3://firmware", client->file("folder"), "--exclude", "copy.bin", "--no-progress"});
  EXPECT_EQ(read_file(client->file("folder/large.bin")).value(), large);
  const std::size_t before = requests.size();
  aws({"s3", "sync", client->file("folder"), "s3://firmware", "--no-progress"});
  for (std::size_t i = before; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i]["operation"], "ListObjectsV2") << "there is nothing to send";
  }
}

TEST_F(S3ClientsTest, TheCommandLineSeesVersionsAndDeleteMarkers) {
  const std::string first = write("first", {'1'});
  const std::string second = write("second", {'2', '2'});
  aws({"s3api", "create-bucket", "--bucket", "firmware"});
  aws({"s3api", "put-bucket-versioning", "--bucket", "firmware", "--versioning-configuration",
       "Status=Enabled"});
  EXPECT_EQ(aws_json({"s3api", "get-bucket-versioning", "--bucket", "firmware"})["Status"], "Enabled");
  const Json one = aws_json({"s3api", "put-object", "--bucket", "firmware", "--key", "a", "--body", first,
                             "--checksum-algorithm", "CRC32", "--metadata", "note=one"});
  const Json two = aws_json({"s3api", "put-object", "--bucket", "firmware", "--key", "a", "--body", second});
  EXPECT_EQ(one["ChecksumCRC32"], "g9zvtw==");
  const Json gone = aws_json({"s3api", "delete-object", "--bucket", "firmware", "--key", "a"});
  EXPECT_EQ(gone["DeleteMarker"], true);

  const Json listed = aws_json({"s3api", "list-object-versions", "--bucket", "firmware"});
  ASSERT_EQ(listed["Versions"].size(), 2U) << listed;
  EXPECT_EQ(listed["Versions"][0]["VersionId"], two["VersionId"]);
  EXPECT_EQ(listed["Versions"][0]["Size"], 2);
  EXPECT_EQ(listed["Versions"][1]["VersionId"], one["VersionId"]);
  ASSERT_EQ(listed["DeleteMarkers"].size(), 1U) << listed;
  EXPECT_EQ(listed["DeleteMarkers"][0]["IsLatest"], true);
  EXPECT_THAT(aws_error({"s3api", "get-object", "--bucket", "firmware", "--key", "a", client->file("x")}),
              HasSubstr("NoSuchKey"));
  const Json old =
      aws_json({"s3api", "get-object", "--bucket", "firmware", "--key", "a", "--version-id",
                one["VersionId"].get<std::string>(), "--checksum-mode", "ENABLED", client->file("x")});
  EXPECT_EQ(old["Metadata"]["note"], "one");
  EXPECT_EQ(old["ChecksumCRC32"], one["ChecksumCRC32"]);
  EXPECT_EQ(read_file(client->file("x")).value(), Bytes{'1'});
}

TEST_F(S3ClientsTest, TheCommandLinePresigns) {
  aws({"s3", "mb", "s3://firmware"});
  aws({"s3", "cp", write("app.bin", pattern(1000)), "s3://firmware/app.bin"});
  std::string url = aws({"s3", "presign", "s3://firmware/app.bin"});
  ASSERT_TRUE(url.ends_with('\n'));
  url.pop_back();
  const auto got = client->python(OTASIM_TEST_FOLDER "/fetch.py", {url, client->file("got.bin")});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(read_file(client->file("got.bin")).value(), pattern(1000));
}

TEST_F(S3ClientsTest, AnotherKeyIsRefusedAndSoIsAWrongSecret) {
  aws({"s3", "mb", "s3://firmware"});
  client->set("AWS_SECRET_ACCESS_KEY", "not-the-labs");
  EXPECT_THAT(aws_error({"s3", "ls"}), HasSubstr("SignatureDoesNotMatch"));
  client->set("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000");
  EXPECT_THAT(aws_error({"s3", "ls"}), HasSubstr("InvalidAccessKeyId"));
  lab->clock().jump(3600);
  client->set("AWS_ACCESS_KEY_ID", lab->identities().access_key().id);
  client->set("AWS_SECRET_ACCESS_KEY", lab->identities().access_key().secret);
  EXPECT_THAT(aws_error({"s3", "ls"}), HasSubstr("RequestTimeTooSkewed"));
}

TEST_F(S3ClientsTest, BotoDoesAllThatTheScriptClaims) {
  const auto result = client->python(OTASIM_TEST_FOLDER "/s3_boto3.py");
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("all claims hold"));
  std::set<std::string> never;
  for (const S3Operation& one : s3_operations()) never.insert(std::string(one.name));
  for (const Json& request : requests) {
    if (request["status"] < 300) never.erase(request["operation"].get<std::string>());
  }
  EXPECT_THAT(never, ::testing::IsEmpty()) << "each has been answered with success";
}

}  // namespace
}  // namespace otasim::rest
