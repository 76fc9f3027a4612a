// Query signing: AWS's published examples, URLs that come back, and URLs that were tampered with.
#include "sim/cloud/presigned_url.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "sim/cloud/sigv4.h"
#include "sim/cloud/utc_time.h"

namespace otasim::cloud {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// The credentials of the examples in AWS's documentation.
constexpr const char* kAccessKeyId = "AKIAIOSFODNN7EXAMPLE";
constexpr const char* kSecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr const char* kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kExampleHost = "examplebucket.s3.amazonaws.com";
constexpr const char* kExampleTarget =
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

/// The signature of AWS's header examples, which share time, place and empty body.
std::string example_signature(std::string_view path, std::vector<QueryParameter> query,
                              std::vector<SignedHeader> more_headers = {}) {
  std::vector<SignedHeader> headers{{"host", kExampleHost}};
  headers.insert(headers.end(), more_headers.begin(), more_headers.end());
  headers.push_back({"x-amz-content-sha256", kEmptyHash});
  headers.push_back({"x-amz-date", "20130524T000000Z"});
  const CredentialScope scope{"20130524", "us-east-1", "s3"};
  const std::string request = canonical_request({"GET", path, std::move(query), headers, kEmptyHash});
  return sigv4_signature(kSecretAccessKey, scope, string_to_sign("20130524T000000Z", scope, request));
}

TEST(SigV4, GivesTheSignaturesOfAwsHeaderExamples) {
  EXPECT_EQ(example_signature("/test.txt", {}, {{"range", "bytes=0-9"}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(example_signature("/", {{"lifecycle", ""}}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(example_signature("/", {{"prefix", "J"}, {"max-keys", "2"}}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, ComparesTextsOfAnyLength) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

class PresignedUrlTest : public ::testing::Test {
 protected:
  static constexpr const char* kEndpoint = "otasim.localhost:8443";
  const std::int64_t now_ = parse_amz_date("20130524T000000Z").value();
  const ObjectLocation image_{"firmware", "releases/app 1.bin", "0b5f7a1e-6d0a-4d4e-9a53-0123456789ab"};

  std::string target_of(const std::string& url) const {
    const std::string origin = std::string("https://") + kEndpoint;
    EXPECT_THAT(url, StartsWith(origin));
    return url.substr(origin.size());
  }

  std::string signed_target(std::int64_t expires_in = 1800) {
    return target_of(presigner_.presign_get(image_, expires_in));
  }

  S3Result<PresignedRequest> verify(const std::string& target) const {
    return presigner_.verify("GET", target, kEndpoint);
  }

  /// The code of the error with which a target is refused, whose one part was replaced.
  std::string refusal(const std::string& part, const std::string& replacement) {
    std::string target = signed_target();
    const std::size_t at = target.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    target.replace(at, part.size(), replacement);
    const auto result = verify(target);
    if (result) return "accepted";
    message_ = result.error().message;
    return result.error().code;
  }

  ManualClock clock_{now_};
  UrlPresigner presigner_{
      {.endpoint = kEndpoint, .access_key_id = kAccessKeyId, .secret_access_key = kSecretAccessKey},
      clock_,
      random_uuid};
  std::string message_;
};

TEST_F(PresignedUrlTest, AwsExampleOfAPresignedGetIsAccepted) {
  const auto request = presigner_.verify("GET", kExampleTarget, kExampleHost);
  ASSERT_TRUE(request) << request.error().code << ": " << request.error().message;
  EXPECT_EQ(request->expires_at, now_ + 86400);
}

TEST_F(PresignedUrlTest, AUrlIsAwsShaped) {
  EXPECT_THAT(presigner_.presign_get(image_, 1800),
              MatchesRegex("https://otasim\\.localhost:8443/firmware/releases/app%201\\.bin"
                           "\\?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                           "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                           "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=1800"
                           "&X-Amz-Security-Token=[-0-9a-f]*&X-Amz-SignedHeaders=host"
                           "&versionId=0b5f7a1e-6d0a-4d4e-9a53-0123456789ab&X-Amz-Signature=[0-9a-f]*"));
}

TEST_F(PresignedUrlTest, AUrlComesBackAsTheObjectItWasMadeFor) {
  const auto request = verify(signed_target());
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->object.bucket, image_.bucket);
  EXPECT_EQ(request->object.key, image_.key);
  EXPECT_EQ(request->object.version, image_.version);
  EXPECT_EQ(request->expires_at, now_ + 1800);
}

TEST_F(PresignedUrlTest, NoTwoUrlsAreEqualEvenWithinOneSecond) {
  std::set<std::string> urls;
  for (int i = 0; i < 100; ++i) urls.insert(presigner_.presign_get(image_, 1800));
  EXPECT_EQ(urls.size(), 100U);
}

TEST_F(PresignedUrlTest, WithoutAVersionTheLatestIsMeant) {
  const std::string url = presigner_.presign_get({"b", "k", ""}, 60);
  EXPECT_THAT(url, Not(HasSubstr("versionId")));
  EXPECT_EQ(verify(target_of(url)).value().object.version, "");
}

TEST_F(PresignedUrlTest, HttpsOwnPortIsNotPartOfTheHost) {
  presigner_.set_endpoint("s3.example:443");
  const std::string url = presigner_.presign_get({"b", "k", ""}, 60);
  EXPECT_THAT(url, StartsWith("https://s3.example/b/k?"));
  EXPECT_TRUE(presigner_.verify("GET", url.substr(std::string("https://s3.example").size()), "s3.example"));
}

TEST_F(PresignedUrlTest, AUrlIsGoodToItsLastSecond) {
  const std::string target = signed_target(60);
  clock_.advance(60);
  EXPECT_TRUE(verify(target));
  clock_.advance(1);
  const auto expired = verify(target);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().status, 403);
  EXPECT_THAT(s3_error_document(expired.error(), "REQUEST", "HOST"),
              HasSubstr("<Code>AccessDenied</Code><Message>Request has expired</Message>"
                        "<X-Amz-Expires>60</X-Amz-Expires><Expires>2013-05-24T00:01:00Z</Expires>"
                        "<ServerTime>2013-05-24T00:01:01Z</ServerTime><RequestId>REQUEST</RequestId>"
                        "<HostId>HOST</HostId>"));
}

TEST_F(PresignedUrlTest, AUrlFromTheFutureIsNotValidYet) {
  const std::string target = signed_target();
  clock_.advance(-900);
  EXPECT_TRUE(verify(target)) << "a signer's clock may be a quarter of an hour ahead";
  clock_.advance(-1);
  const auto early = verify(target);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, "AccessDenied");
  EXPECT_EQ(early.error().message, "Request is not valid yet");
}

TEST_F(PresignedUrlTest, TheLifetimeIsOneSecondToOneWeek) {
  EXPECT_TRUE(verify(signed_target(1)));
  EXPECT_TRUE(verify(signed_target(604800)));
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{604801}}) {
    const auto result = verify(signed_target(seconds));
    ASSERT_FALSE(result) << seconds;
    EXPECT_EQ(result.error().code, "AuthorizationQueryParametersError");
  }
}

TEST_F(PresignedUrlTest, EachParameterIsCheckedAndNamed) {
  const auto refused = [&](const std::string& part, const std::string& replacement, const char* why) {
    EXPECT_EQ(refusal(part, replacement), "AuthorizationQueryParametersError") << replacement;
    EXPECT_THAT(message_, HasSubstr(why));
  };
  refused("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "requires the X-Amz-Algorithm");
  refused("&X-Amz-Signature=", "&X-Amz-Signatur=", "requires the X-Amz-Algorithm");
  refused("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "X-Amz-Algorithm only supports");
  refused("X-Amz-Date=20130524T000000Z", "X-Amz-Date=20130524", "X-Amz-Date must be");
  refused("X-Amz-Date=20130524T", "X-Amz-Date=20131324T", "X-Amz-Date must be");
  refused("X-Amz-Date=20130524T", "X-Amz-Date=20130523T2", "X-Amz-Date must be");
  refused("=1800", "=", "should be a number");
  refused("=1800", "=18e2", "should be a number");
  refused("=1800", "=+1800", "should be a number");
  refused("=1800", "=-1", "must be non-negative");
  refused("=1800", "=99999999999999999999", "must be less than a week");
  refused("=1800", "=-99999999999999999999", "must be non-negative");
  refused("%2Faws4_request", "", "Credential is mal-formed");
  refused("=AKIAIOSFODNN7EXAMPLE", "=", "Credential is mal-formed");
  refused("%2Faws4_request", "%2Faws4_request%2F", "Credential is mal-formed");
  refused("%2F20130524", "%2F20130525", "another date than X-Amz-Date");
  refused("us-east-1", "eu-west-1", "the region 'eu-west-1' is wrong; expecting 'us-east-1'");
  refused("%2Fs3%2F", "%2Fiot%2F", "incorrect service \"iot\"");
  refused("aws4_request", "aws5_request", "incorrect terminal \"aws5_request\"");
  refused("SignedHeaders=host", "SignedHeaders=host%3Brange", "must be \"host\"");
  refused("X-Amz-Expires=1800", "X-Amz-Expires=1800&X-Amz-Expires=1800",
          "X-Amz-Expires is given more than once");
  refused("versionId=", "versionId=other&versionId=", "versionId is given more than once");
}

TEST_F(PresignedUrlTest, WhoIsNotSignedIsDenied) {
  for (const char* target : {"/b/k", "/b/k?versionId=1", "/"}) {
    const auto result = verify(target);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().status, 403);
    EXPECT_EQ(result.error().code, "AccessDenied");
  }
}

TEST_F(PresignedUrlTest, WhatIsNoPathIsRefused) {
  for (const char* target : {"", "b/k", "https://h/b/k", "*", "/%", "/%2", "/%2g", "/b?x=%", "/b?%zz=1"}) {
    const auto result = verify(target);
    ASSERT_FALSE(result) << target;
    EXPECT_EQ(result.error().code, "InvalidURI") << target;
  }
}

TEST_F(PresignedUrlTest, AnotherAccountsKeyIsUnknownHere) {
  EXPECT_EQ(refusal("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"), "InvalidAccessKeyId");
}

TEST_F(PresignedUrlTest, AUrlIsGoodForItsMethodAndHostOnly) {
  const std::string target = signed_target();
  EXPECT_EQ(presigner_.verify("HEAD", target, kEndpoint).error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(presigner_.verify("GET", target, "otasim.localhost:8444").error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(presigner_.verify("GET", target, "").error().code, "SignatureDoesNotMatch");
  EXPECT_TRUE(presigner_.verify("GET", target, std::string("  ") + kEndpoint + "\t"));
}

TEST_F(PresignedUrlTest, TheRefusalShowsWhatWasToBeSigned) {
  const auto result = verify(signed_target() + "&more=1");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 403);
  EXPECT_THAT(
      s3_error_document(result.error(), "", ""),
      HasSubstr("<StringToSign>AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"));
}

/// Whether two targets say the same in different spellings: percent encoding, order of parameters.
bool same_meaning(const std::string& a, const std::string& b) {
  auto left = parse_request_target(a);
  auto right = parse_request_target(b);
  if (!left || !right || left->path != right->path) return false;
  std::ranges::sort(left->query, {}, &QueryParameter::name);
  std::ranges::sort(right->query, {}, &QueryParameter::name);
  return left->query == right->query;
}

TEST_F(PresignedUrlTest, WhicheverBitIsChangedTheUrlIsWorthless) {
  const std::string target = signed_target();
  int other_spellings = 0;
  for (std::size_t at = 0; at < target.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = target;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const bool same = same_meaning(changed, target);
      other_spellings += same ? 1 : 0;
      ASSERT_EQ(verify(changed).has_value(), same) << changed;
    }
  }
  EXPECT_EQ(other_spellings, 4) << "the lower-case forms of %2F";
}

TEST_F(PresignedUrlTest, WhicheverByteIsMissingOrAddedTheUrlIsWorthless) {
  const std::string target = signed_target();
  for (std::size_t at = 0; at < target.size(); ++at) {
    std::string shorter = target;
    shorter.erase(at, 1);
    ASSERT_FALSE(verify(shorter)) << shorter;
    std::string longer = target;
    longer.insert(at, 1, longer[at]);
    ASSERT_EQ(verify(longer).has_value(), same_meaning(longer, target)) << longer;
  }
}

TEST_F(PresignedUrlTest, TheOrderOfParametersAndTheirSpellingDoNotMatter) {
  std::string target = signed_target();
  const std::size_t question_mark = target.find('?');
  const std::size_t first_ampersand = target.find('&');
  const std::string first = target.substr(question_mark + 1, first_ampersand - question_mark - 1);
  const std::string reordered =
      target.substr(0, question_mark + 1) + target.substr(first_ampersand + 1) + "&" + first;
  EXPECT_TRUE(verify(reordered));
  target.replace(target.find("/firmware"), 9, "/%66irmware");
  EXPECT_TRUE(verify(target));
}

TEST_F(PresignedUrlTest, AnEncodedSlashDoesNotMoveTheBucketsEnd) {
  std::string target = target_of(presigner_.presign_get({"one", "two/three", ""}, 60));
  target.replace(0, std::string("/one/two/three").size(), "/one%2Ftwo/three");
  const auto request = verify(target);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->object.bucket, "one");
  EXPECT_EQ(request->object.key, "two/three");
}

RC_GTEST_FIXTURE_PROP(PresignedUrlTest, AnyKeySurvivesItsUrl,
                      (const std::string& key, const std::string& version)) {
  const ObjectLocation object{"bucket", key, version};
  const auto expires_in = *rc::gen::inRange<std::int64_t>(1, kMaxPresignedSeconds + 1);
  const std::string url = presigner_.presign_get(object, expires_in);
  RC_ASSERT(std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7F; }));
  const auto request = verify(target_of(url));
  RC_ASSERT(request.has_value());
  RC_ASSERT(request->object.bucket == object.bucket);
  RC_ASSERT(request->object.key == key);
  RC_ASSERT(request->object.version == version);
  RC_ASSERT(request->expires_at == now_ + expires_in);
}

RC_GTEST_FIXTURE_PROP(PresignedUrlTest, NoTargetIsAcceptedUnsigned,
                      (const std::string& method, const std::string& path, const std::string& query,
                       const std::string& host)) {
  RC_ASSERT(!presigner_.verify(method, "/" + path + "?" + query, host).has_value());
}

}  // namespace
}  // namespace otasim::cloud
