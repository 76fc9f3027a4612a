// Signatures of requests: AWS's published ones hold, and whatever is changed in a request breaks them.
#include "sim/rest/request_signature.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>

#include "sim/cloud/utc_time.h"
#include "tests/sim/rest/signed_request.h"

namespace otasim::rest {
namespace {

using test::sha256_hex;
using test::Signer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int64_t kSignedAt = 1'440'938'160;  // 20150830T123600Z

class RequestSignatureTest : public ::testing::Test {
 protected:
  /// The problem with a request; nothing if it is good.
  std::optional<SignatureProblem> problem(const HttpRequestHead& head, const std::string& body = {},
                                          const std::string& service = "iot") {
    const auto verified = verifier_.verify_request(head, service, sha256_hex(body));
    if (verified) return std::nullopt;
    error_ = verified.error();
    return verified.error().problem;
  }

  static HttpRequestHead request(const std::string& method = "GET", const std::string& target = "/things") {
    HttpRequestHead head;
    head.method = method;
    head.target = target;
    head.headers = {{"Host", "iot.us-east-1.amazonaws.com"}};
    return head;
  }
  HttpRequestHead signed_request(const std::string& method = "GET", const std::string& target = "/things",
                                 const std::string& body = {}) {
    HttpRequestHead head = request(method, target);
    signer_.sign(head, sha256_hex(body));
    return head;
  }
  static std::string& header(HttpRequestHead& head, const std::string& name) {
    return std::ranges::find(head.headers, name, &std::pair<std::string, std::string>::first)->second;
  }
  /// The same request with one part of its Authorization header replaced.
  HttpRequestHead with(const std::string& from, const std::string& to) {
    HttpRequestHead head = signed_request();
    std::string& text = header(head, "Authorization");
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    text.replace(at, from.size(), to);
    return head;
  }

  Signer signer_;
  cloud::ManualClock clock_{kSignedAt};
  RequestVerifier verifier_{{signer_.access_key_id, signer_.secret_access_key, "us-east-1"}, clock_};
  SignatureError error_;
};

/// A request of AWS's published test suite: service `service`, no body unless given.
struct Vector {
  const char* name;
  const char* method;
  const char* target;
  HeaderFields headers;
  const char* signed_headers;
  const char* signature;
};

TEST_F(RequestSignatureTest, AwssPublishedSignaturesHold) {
  const HeaderFields plain{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
  const auto with = [](HeaderFields more) {
    more.insert(more.begin(), {"Host", "example.amazonaws.com"});
    more.emplace_back("X-Amz-Date", "20150830T123600Z");
    return more;
  };
  const std::vector<Vector> vectors{
      {"get-vanilla", "GET", "/", plain, "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", plain, "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"post-vanilla", "POST", "/", plain, "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-utf8", "GET", "/\xE1\x88\xB4", plain, "host;x-amz-date",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-relative", "GET", "/example/..", plain, "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-slash", "GET", "//", plain, "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-header-value-trim", "GET", "/",
       with({{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
       "host;my-header1;my-header2;x-amz-date",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-value-order", "GET", "/",
       with({{"My-Header1", "value4"},
             {"My-Header1", "value1"},
             {"My-Header1", "value3"},
             {"My-Header1", "value2"}}),
       "host;my-header1;x-amz-date", "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
  };
  for (const Vector& vector : vectors) {
    HttpRequestHead head;
    head.method = vector.method;
    head.target = vector.target;
    head.headers = vector.headers;
    head.headers.emplace_back(
        "Authorization",
        fmt::format("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                    "SignedHeaders={}, Signature={}",
                    vector.signed_headers, vector.signature));
    EXPECT_EQ(problem(head, "", "service"), std::nullopt) << vector.name << ": " << error_.detail << "\n"
                                                          << error_.canonical_request;
  }
}

TEST_F(RequestSignatureTest, AwssPublishedExampleOfAQueryHolds) {
  HttpRequestHead head;
  head.method = "GET";
  head.target = "/?Action=ListUsers&Version=2010-05-08";
  head.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                  {"Host", "iam.amazonaws.com"},
                  {"X-Amz-Date", "20150830T123600Z"},
                  {"Authorization",
                   "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                   "SignedHeaders=content-type;host;x-amz-date, "
                   "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"}};
  EXPECT_EQ(problem(head, "", "iam"), std::nullopt) << error_.canonical_request;
}

TEST_F(RequestSignatureTest, ASignedRequestNamesItsSigner) {
  const auto signature = read_signature(signed_request());
  ASSERT_TRUE(signature) << signature.error().detail;
  EXPECT_EQ(signature->access_key_id, signer_.access_key_id);
  EXPECT_EQ(signature->scope.service, "iot");
  EXPECT_EQ(signature->scope.region, "us-east-1");
  EXPECT_EQ(signature->signed_at, kSignedAt);
  EXPECT_FALSE(signature->in_query);
  EXPECT_EQ(signature->payload(), std::nullopt);
  EXPECT_EQ(claimed_service(signed_request()), "iot");
  EXPECT_EQ(claimed_service(request()), std::nullopt);
}

TEST_F(RequestSignatureTest, WhateverIsChangedBreaksIt) {
  ASSERT_EQ(problem(signed_request("PUT", "/things/a%20b?x=1&y=2", "body"), "body"), std::nullopt)
      << error_.canonical_request;
  const std::vector<std::function<void(HttpRequestHead&)>> changes{
      [](HttpRequestHead& head) { head.method = "GET"; },
      [](HttpRequestHead& head) { head.target = "/things/a%20c?x=1&y=2"; },
      [](HttpRequestHead& head) { head.target = "/things/a%20b?x=1&y=3"; },
      [](HttpRequestHead& head) { head.target = "/things/a%20b?x=1"; },
      [](HttpRequestHead& head) { head.target = "/things/a%20b?x=1&y=2&z"; },
      [](HttpRequestHead& head) { header(head, "Host") = "elsewhere"; },
      [](HttpRequestHead& head) { head.headers.emplace_back("Host", "elsewhere"); },
      [](HttpRequestHead& head) { std::erase_if(head.headers, [](auto& h) { return h.first == "Host"; }); },
      [](HttpRequestHead& head) {
        std::string& text = header(head, "Authorization");
        text.back() = text.back() == '0' ? '1' : '0';
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    HttpRequestHead head = signed_request("PUT", "/things/a%20b?x=1&y=2", "body");
    changes[i](head);
    EXPECT_EQ(problem(head, "body"), SignatureProblem::kMismatch) << i;
    EXPECT_THAT(error_.string_to_sign, StartsWith("AWS4-HMAC-SHA256\n20150830T123600Z\n"));
  }
  EXPECT_EQ(problem(signed_request("PUT", "/things", "body"), "another"), SignatureProblem::kMismatch);
  signer_.secret_access_key += "x";
  EXPECT_EQ(problem(signed_request()), SignatureProblem::kMismatch);
}

TEST_F(RequestSignatureTest, QueryParametersMayComeInAnyOrder) {
  HttpRequestHead head = signed_request("GET", "/things?maxResults=1&nextToken=a%2Fb");
  head.target = "/things?nextToken=a%2Fb&maxResults=1";
  EXPECT_EQ(problem(head), std::nullopt);
}

TEST_F(RequestSignatureTest, ASignatureIsGoodForFifteenMinutesEitherWay) {
  const auto head = signed_request();
  for (const std::int64_t off : {-900, 900}) {
    cloud::ManualClock clock(kSignedAt + off);
    const RequestVerifier verifier(verifier_.config(), clock);
    EXPECT_TRUE(verifier.verify_request(head, "iot", sha256_hex(""))) << off;
  }
  clock_.advance(901);
  EXPECT_EQ(problem(head), SignatureProblem::kExpired);
  EXPECT_EQ(error_.detail,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 "
            "min.)");
  clock_.advance(-1802);
  EXPECT_EQ(problem(head), SignatureProblem::kNotYetValid);
  EXPECT_THAT(error_.detail, HasSubstr("is still later than"));
}

TEST_F(RequestSignatureTest, AnUnsignedRequestIsMissingItsSignature) {
  EXPECT_EQ(problem(request()), SignatureProblem::kMissing);
}

TEST_F(RequestSignatureTest, EachPartOfTheHeaderIsNeededAndMustBeWellFormed) {
  const std::string scope = "/20150830/us-east-1/iot/aws4_request";
  struct Case {
    std::string from;
    std::string to;
    SignatureProblem problem;
  };
  for (const Case& c : std::vector<Case>{
           {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", SignatureProblem::kWrongAlgorithm},
           {"AWS4-HMAC-SHA256 ", "Basic ", SignatureProblem::kWrongAlgorithm},
           {"Credential=", "Credentials=", SignatureProblem::kIncomplete},
           {"SignedHeaders=", "Headers=", SignatureProblem::kIncomplete},
           {"Signature=", "Sig=", SignatureProblem::kIncomplete},
           {"Signature=", "Signature=zz", SignatureProblem::kIncomplete},
           {"SignedHeaders=", "Credential=x, SignedHeaders=", SignatureProblem::kIncomplete},
           {"host;x-amz-date", "x-amz-date;host", SignatureProblem::kIncomplete},
           {"host;x-amz-date", "Host;x-amz-date", SignatureProblem::kIncomplete},
           {"host;x-amz-date", "host;host;x-amz-date", SignatureProblem::kIncomplete},
           {"host;x-amz-date", ";host;x-amz-date", SignatureProblem::kIncomplete},
           {"host;x-amz-date", "x-amz-date", SignatureProblem::kUnsignedHeaders},
           {"host;x-amz-date", "host", SignatureProblem::kUnsignedHeaders},
           {scope, "", SignatureProblem::kIncomplete},
           {scope, "/20150830/us-east-1/iot", SignatureProblem::kIncomplete},
           {"AKIDEXAMPLE/", "/", SignatureProblem::kIncomplete},
           {"AKIDEXAMPLE", "AKIDANOTHER", SignatureProblem::kUnknownKey},
           {"AKIDEXAMPLE", "AKIDEXAMPLE/x", SignatureProblem::kUnknownKey},
           {"aws4_request", "aws3_request", SignatureProblem::kWrongScope},
           {"/20150830/", "/20150831/", SignatureProblem::kWrongScope},
           {"us-east-1", "eu-west-1", SignatureProblem::kWrongScope},
           {"/iot/", "/s3/", SignatureProblem::kWrongService},
       }) {
    EXPECT_EQ(problem(with(c.from, c.to)), c.problem) << c.from << " -> " << c.to << ": " << error_.detail;
    EXPECT_NE(error_.detail, "") << c.to;
  }
}

TEST_F(RequestSignatureTest, WhatIsGivenTwiceIsRefused) {
  for (const char* name : {"Authorization", "X-Amz-Date"}) {
    HttpRequestHead head = signed_request();
    head.headers.emplace_back(name, header(head, name));
    EXPECT_EQ(problem(head), SignatureProblem::kIncomplete) << name;
  }
  HttpRequestHead head = request();
  head.headers.emplace_back("X-Amz-Security-Token", "a");
  head.headers.emplace_back("X-Amz-Security-Token", "b");
  signer_.sign(head);
  EXPECT_EQ(problem(head), SignatureProblem::kIncomplete);
}

TEST_F(RequestSignatureTest, ASessionTokenIsSignedAndOtherwiseIgnored) {
  HttpRequestHead head = request();
  head.headers.emplace_back("X-Amz-Security-Token", "whatever");
  signer_.sign(head);
  EXPECT_EQ(problem(head), std::nullopt);
  header(head, "X-Amz-Security-Token") = "another";
  EXPECT_EQ(problem(head), SignatureProblem::kMismatch);
}

TEST_F(RequestSignatureTest, AHeaderOfAwssOwnMustBeSigned) {
  HttpRequestHead head = signed_request();
  head.headers.emplace_back("X-Amzn-Trace-Id", "Root=1");
  EXPECT_EQ(problem(head), std::nullopt) << "proxies add that one";
  for (const char* name : {"X-Amz-Acl", "x-amzn-principal", "X-Amzn-Iot-Principal"}) {
    HttpRequestHead changed = head;
    changed.headers.emplace_back(name, "other");
    EXPECT_EQ(problem(changed), SignatureProblem::kUnsignedHeaders) << name;
  }
}

TEST_F(RequestSignatureTest, ADeclaredPayloadIsHeldAgainstTheBody) {
  HttpRequestHead head = request("PUT");
  head.headers.emplace_back("x-amz-content-sha256", sha256_hex("body"));
  signer_.sign(head, sha256_hex("body"));
  EXPECT_EQ(problem(head, "body"), std::nullopt);
  EXPECT_EQ(problem(head, "other"), SignatureProblem::kPayloadMismatch);
  HttpRequestHead unsigned_payload = request("PUT");
  unsigned_payload.headers.emplace_back("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  signer_.sign(unsigned_payload, "UNSIGNED-PAYLOAD");
  EXPECT_EQ(problem(unsigned_payload, "anything"), std::nullopt);
}

TEST_F(RequestSignatureTest, ASignatureMayStandInTheQuery) {
  HttpRequestHead head = request("GET", "/things?maxResults=5");
  signer_.presign(head, sha256_hex(""), "60");
  EXPECT_EQ(problem(head), std::nullopt) << error_.canonical_request;
  EXPECT_EQ(claimed_service(head), "iot");
  HttpRequestHead changed = head;
  changed.target.replace(changed.target.find("maxResults=5"), 12, "maxResults=6");
  EXPECT_EQ(problem(changed), SignatureProblem::kMismatch);
  HttpRequestHead twice = head;
  twice.target += "&X-Amz-Date=20150830T123600Z";
  EXPECT_EQ(problem(twice), SignatureProblem::kIncomplete);
  HttpRequestHead both = head;
  both.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 x");
  EXPECT_EQ(problem(both), SignatureProblem::kIncomplete);
  clock_.advance(61);
  EXPECT_EQ(problem(head), SignatureProblem::kExpired);
}

TEST_F(RequestSignatureTest, ASignatureInTheQueryLivesOneSecondToOneWeek) {
  const auto problem_of = [&](const std::optional<std::string>& expires, const std::string& service) {
    signer_.service = service;
    HttpRequestHead head = request("GET", "/things");
    const std::string payload = service == "s3" ? "UNSIGNED-PAYLOAD" : sha256_hex("");
    signer_.presign(head, payload, expires);
    const auto signature = read_signature(head);
    if (!signature) {
      error_ = signature.error();
      return std::optional(signature.error().problem);
    }
    const auto checked = verifier_.check(*signature, service);
    return checked ? std::nullopt : std::optional(checked.error().problem);
  };
  for (const char* const service : {"iot", "s3"}) {
    EXPECT_EQ(problem_of("1", service), std::nullopt) << service;
    EXPECT_EQ(problem_of("604800", service), std::nullopt) << service;
    for (const char* const expires :
         {"", "0", "-1", "604801", "10000000", "9223372036854775807", "99999999999999999999", "+60", "60x"}) {
      EXPECT_EQ(problem_of(expires, service), SignatureProblem::kIncomplete) << service << ": " << expires;
      EXPECT_THAT(error_.detail, HasSubstr("X-Amz-Expires")) << expires;
    }
  }
  EXPECT_EQ(problem_of(std::nullopt, "iot"), std::nullopt) << "which is then good for a quarter of an hour";
  EXPECT_EQ(problem_of(std::nullopt, "s3"), SignatureProblem::kIncomplete);
}

TEST_F(RequestSignatureTest, S3EncodesAPathOnce) {
  signer_.service = "s3";
  HttpRequestHead head = request("GET", "/bucket/a%20b//c/../d");
  head.headers.emplace_back("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  signer_.sign(head, "UNSIGNED-PAYLOAD");
  const auto signature = read_signature(head);
  ASSERT_TRUE(signature) << signature.error().detail;
  EXPECT_THAT(canonical_request_of(head, *signature, "x"), StartsWith("GET\n/bucket/a%20b//c/../d\n"));
  signer_.service = "iot";
  HttpRequestHead other = request("GET", "/things/a%20b//c/../d");
  signer_.sign(other);
  EXPECT_THAT(canonical_request_of(other, *read_signature(other), "x"),
              StartsWith("GET\n/things/a%2520b/d\n"));
}

TEST_F(RequestSignatureTest, ABrokenTargetIsNamed) {
  EXPECT_EQ(problem(request("GET", "/%zz")), SignatureProblem::kMalformedTarget);
  EXPECT_EQ(problem(request("GET", "http://x/")), SignatureProblem::kMalformedTarget);
}

}  // namespace
}  // namespace otasim::rest
