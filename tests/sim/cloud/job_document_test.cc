#include "sim/cloud/job_document.h"

#include <gmock/gmock.h>

#include "sim/base/json.h"

namespace otasim::cloud {
namespace {

using Json = nlohmann::ordered_json;

std::string told(const std::optional<ObjectLocation>& object) {
  return object ? object->bucket + "|" + object->key + "|" + object->version : "none";
}

TEST(S3Url, NamesAnObjectInEitherStyle) {
  EXPECT_EQ(told(parse_s3_url("https://s3.amazonaws.com/b/k")), "b|k|");
  EXPECT_EQ(told(parse_s3_url("https://s3.eu-west-1.amazonaws.com/b/a/k.bin")), "b|a/k.bin|");
  EXPECT_EQ(told(parse_s3_url("https://b.s3.amazonaws.com/a/k")), "b|a/k|");
  EXPECT_EQ(told(parse_s3_url("https://b.s3-us-west-2.amazonaws.com/k")), "b|k|");
  EXPECT_EQ(told(parse_s3_url("https://s3.amazonaws.com/b/k?versionId=v1")), "b|k|v1");
  EXPECT_EQ(told(parse_s3_url("https://s3.amazonaws.com/b/k?x=1&versionId=v%2F1&y")), "b|k|v/1");
  EXPECT_EQ(told(parse_s3_url("https://s3.amazonaws.com/b/a%20b%C3%A4")), "b|a b\xC3\xA4|");
}

TEST(S3Url, ThatNamesNoObjectIsNone) {
  for (const char* url :
       {"", "https://", "https:///b/k", "https://s3.amazonaws.com", "https://s3.amazonaws.com/",
        "https://s3.amazonaws.com/b", "https://s3.amazonaws.com/b/", "http://s3.amazonaws.com/b/k",
        "https://b.s3.amazonaws.com/", "https://s3.amazonaws.com/b/a%"}) {
    EXPECT_EQ(told(parse_s3_url(url)), "none") << url;
  }
}

TEST(Placeholder, LeadsBackToItsObjectWhateverTheName) {
  for (const ObjectLocation& object : {ObjectLocation{"b", "k", ""}, ObjectLocation{"b", "a/b c.bin", "v1"},
                                       ObjectLocation{"b", "}\"?&%\\\xFF\n", "a b"}}) {
    const std::string text = presigned_placeholder(object);
    Json document = text;
    std::string seen;
    expand_placeholders(document, [&](const ObjectLocation& found) {
      seen = told(found);
      return std::string{"URL"};
    });
    EXPECT_EQ(seen, told(object));
    EXPECT_EQ(document, "URL");
  }
}

TEST(Placeholders, AreReplacedWhereverTheyStandEachByAUrlOfItsOwn) {
  const std::string one = presigned_placeholder({"b", "1", ""});
  const std::string two = presigned_placeholder({"b", "2", ""});
  Json document{{"a", one}, {"n", 5}, {"list", {"x", {{"deep", "<" + one + "|" + two + ">"}}}}};
  int count = 0;
  expand_placeholders(
      document, [&](const ObjectLocation& object) { return object.key + "#" + std::to_string(++count); });
  EXPECT_EQ(document.dump(), R"({"a":"1#1","n":5,"list":["x",{"deep":"<1#2|2#3>"}]})");
}

TEST(Placeholders, ThatAreNoneStayAsTheyAre) {
  for (const char* text :
       {"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k", "${aws:iot:s3-presigned-url:}",
        "${aws:iot:s3-presigned-url:ftp://x/b/k}", "${aws:iot:parameter:x}", "$"}) {
    Json document = text;
    expand_placeholders(document, [](const ObjectLocation&) { return std::string{"URL"}; });
    EXPECT_EQ(document, text);
  }
}

std::string nested(std::size_t depth) {
  return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

TEST(JobDocument, MayBeNestedToALimit) {
  EXPECT_TRUE(check_job_document(nested(64)));
  const auto refused = check_job_document(nested(65));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidRequest);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("64 levels"));
  EXPECT_FALSE(check_job_document(nested(kMaxJobDocument / 2 - 4)));
  EXPECT_FALSE(check_job_document(std::string(kMaxJobDocument, '[')));
  EXPECT_TRUE(check_job_document(R"({"a":")" + std::string(100, '[') + R"(\"[{"})")) << "texts do not count";
}

}  // namespace
}  // namespace otasim::cloud
