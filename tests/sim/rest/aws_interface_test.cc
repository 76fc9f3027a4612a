// The AWS interface without network and clients: routing, the order of checks, errors' shapes, limits. What
// each operation answers is iot_clients_test's.
#include "sim/rest/aws_interface.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/cloud/json_nesting.h"
#include "sim/cloud/utc_time.h"
#include "sim/rest/jobs_data_api.h"
#include "sim/rest/throttle.h"
#include "tests/sim/cloud/cloud_fixture.h"
#include "tests/sim/rest/handler_call.h"
#include "tests/sim/rest/signed_request.h"

namespace otasim::rest {
namespace {

using test::call_handler;
using test::header_of;
using test::sha256_hex;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

/// Makes no certificates.
class NoIssuer final : public CertificateIssuer {
 public:
  Result<Issued> issue_with_key() override { return fail(ExitCode::kInternal, "no key"); }
  Result<Issued> issue_for_request(const std::string& /*csr*/) override {
    return fail(ExitCode::kUsage, "no request");
  }
  [[nodiscard]] std::string authority_pem() const override { return "none"; }
};

/// In S3's place: says what it got.
class Mirror final : public HttpHandler {
 public:
  Decision begin(const HttpRequestHead& head) override {
    HttpResponse response;
    response.body = "S3 " + head.method + " " + head.target;
    return response;
  }
  HttpResponse refuse(const HttpRefusal& refusal) override {
    HttpResponse response;
    response.body = refusal.detail;
    return response;
  }
};

class AwsInterfaceTest : public cloud::CloudFixture {
 protected:
  AwsInterfaceTest() { signer_.date = cloud::amz_date(cloud_->clock().now()); }

  AwsInterface& aws(bool throttle = false) {
    if (!aws_) {
      aws_ = std::make_unique<AwsInterface>(
          AwsInterfaceParts{*cloud_, issuer_, *log_,
                            [](std::string_view type) -> std::optional<std::string> {
                              if (type != "iot:Jobs") return std::nullopt;
                              return "jobs:1";
                            }},
          AwsInterfaceOptions{signer_.access_key_id, signer_.secret_access_key, throttle}, s3_);
    }
    return *aws_;
  }

  static HttpRequestHead head(const std::string& method, const std::string& target) {
    HttpRequestHead made;
    made.method = method;
    made.target = target;
    made.headers = {{"Host", "localhost"}};
    return made;
  }
  HttpResponse call(const std::string& method, const std::string& target, const std::string& body = {},
                    const std::string& service = "iot") {
    HttpRequestHead made = head(method, target);
    signer_.service = service;
    signer_.sign(made, sha256_hex(body));
    return call_handler(aws().signed_requests(), std::move(made), body);
  }
  /// The name of an error, which has AWS's shape.
  static std::string error_of(const HttpResponse& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
    EXPECT_NE(header_of(response, "x-amzn-RequestId"), "");
    const auto body = nlohmann::json::parse(response.body, nullptr, false);
    EXPECT_TRUE(body.is_object() && body.contains("message")) << response.body;
    return header_of(response, "x-amzn-ErrorType");
  }

  test::Signer signer_;
  NoIssuer issuer_;
  Mirror s3_;
  std::unique_ptr<AwsInterface> aws_;
};

TEST_F(AwsInterfaceTest, ARequestGoesToTheServiceItIsSignedFor) {
  EXPECT_THAT(call("GET", "/things/lamp").body, HasSubstr("\"thingName\":\"lamp\""));
  EXPECT_THAT(call("GET", "/things/lamp", "", "execute-api").body, HasSubstr("\"thingName\":\"lamp\""))
      << "as older clients sign";
  EXPECT_THAT(call("GET", "/things/lamp/jobs", "", "iot-jobs-data").body, HasSubstr("queuedJobs"));
  EXPECT_THAT(call("GET", "/things/lamp/jobs").body, HasSubstr("executionSummaries"))
      << "the same path is another operation of another service";
  EXPECT_EQ(call("GET", "/things/lamp", "", "s3").body, "S3 GET /things/lamp");
  EXPECT_EQ(error_of(call("GET", "/things/lamp", "", "sns"), 403), "InvalidSignatureException");
  EXPECT_EQ(error_of(call("GET", "/things/lamp", "", "iot-jobs-data"), 404), "UnknownOperationException");
}

TEST_F(AwsInterfaceTest, WhatIsNotSignedIsRefusedInTheWordsOfWhomItLooksLike) {
  EXPECT_EQ(error_of(call_handler(aws().signed_requests(), head("GET", "/things/lamp")), 403),
            "MissingAuthenticationTokenException");
  EXPECT_EQ(error_of(call_handler(aws().signed_requests(), head("BREW", "/things/lamp")), 405),
            "MethodNotAllowedException");
  EXPECT_EQ(call_handler(aws().signed_requests(), head("GET", "/bucket/key")).body, "S3 GET /bucket/key");
}

TEST_F(AwsInterfaceTest, EachWrongSignatureHasAwssName) {
  const auto name = [&](const auto& change) {
    HttpRequestHead made = head("GET", "/things/lamp");
    test::Signer signer = signer_;
    change(signer);
    signer.sign(made, sha256_hex(""));
    return error_of(call_handler(aws().signed_requests(), std::move(made)), 403);
  };
  EXPECT_EQ(name([](test::Signer& signer) { signer.secret_access_key = "x"; }), "InvalidSignatureException");
  EXPECT_EQ(name([](test::Signer& signer) { signer.access_key_id = "x"; }), "UnrecognizedClientException");
  EXPECT_EQ(name([](test::Signer& signer) { signer.region = "x"; }), "InvalidSignatureException");
  EXPECT_EQ(name([](test::Signer& signer) { signer.date = "20100101T000000Z"; }),
            "InvalidSignatureException");
  HttpRequestHead broken = head("GET", "/things/lamp");
  broken.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/iot/aws4_request");
  EXPECT_EQ(error_of(call_handler(aws().signed_requests(), std::move(broken)), 403),
            "IncompleteSignatureException");
}

TEST_F(AwsInterfaceTest, TheBodyIsPartOfTheSignature) {
  HttpRequestHead made = head("POST", "/things/new");
  signer_.sign(made, sha256_hex("{}"));
  EXPECT_EQ(error_of(call_handler(aws().signed_requests(), std::move(made), "{ }"), 403),
            "InvalidSignatureException");
  EXPECT_FALSE(cloud_->things().describe(cloud::ThingName::parse("new").value()));
}

TEST_F(AwsInterfaceTest, ABodyThatIsNoJsonObjectIsRefused) {
  for (const char* body : {"nothing", "[]", "\"text\"", "{", "null"}) {
    EXPECT_EQ(error_of(call("POST", "/things/new", body), 400), "SerializationException") << body;
  }
  const std::string deep = R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_EQ(error_of(call("POST", "/things/new", deep), 400), "InvalidRequestException");
  EXPECT_EQ(error_of(call("POST", "/things/new", std::string(kMaxJsonBody + 1, ' ')), 413),
            "RequestEntityTooLargeException");
}

TEST_F(AwsInterfaceTest, AMemberThatIsWrongIsNamed) {
  struct Case {
    const char* target;
    const char* body;
    const char* member;
  };
  for (const Case& c : std::vector<Case>{
           {"/streams/s", R"({"files": 1})", "'roleArn'"},
           {"/streams/s", R"({"roleArn": "arn:aws:iam::000000000000:role/r", "files": [{"fileId": 300}]})",
            "files.1.member.fileId"},
           {"/streams/s", R"({"roleArn": "x"})", "'roleArn'"},
           {"/things/t", R"({"attributePayload": []})", "attributePayload"},
           {"/things/t", R"({"attributePayload": {"attributes": {"a": 1}}})", "attributePayload.attributes"},
           {"/things/t", R"({"attributePayload": {"merge": "yes"}})", "attributePayload.merge"},
           {"/thing-groups/g", R"({"tags": [{"Value": "v"}]})", "tags.1.member.Key"},
       }) {
    const auto response = call("POST", c.target, c.body);
    EXPECT_EQ(error_of(response, 400), "InvalidRequestException") << c.body;
    if (std::string(c.target) != "/streams/s" || std::string(c.member) != "'roleArn'") {
      EXPECT_THAT(response.body, HasSubstr(c.member));
    }
  }
  EXPECT_THAT(call("GET", "/things?maxResults=0").body, HasSubstr("'maxResults'"));
  EXPECT_EQ(error_of(call("GET", "/things?maxResults=1&maxResults=2"), 400), "InvalidRequestException");
  EXPECT_EQ(error_of(call("GET", "/things?maxResults=x"), 400), "InvalidRequestException");
}

TEST_F(AwsInterfaceTest, APathIsTakenApartBeforeItIsDecoded) {
  EXPECT_EQ(error_of(call("GET", "/things/a%2Fb"), 400), "InvalidRequestException") << "one segment";
  EXPECT_EQ(error_of(call("GET", "/things/a/b"), 404), "UnknownOperationException");
  EXPECT_EQ(error_of(call("GET", "/things/lamp/"), 404), "UnknownOperationException");
  EXPECT_EQ(match_uri("/a/{b}/c", "/a/x%20y/c?q"), (UriValues{{"b", "x y"}}));
  EXPECT_EQ(match_uri("/a/{b}", "/a/"), std::nullopt) << "a value is not empty";
  EXPECT_EQ(match_uri("/a/{b}", "/a/%zz"), std::nullopt);
  EXPECT_EQ(match_uri("/a", "a"), std::nullopt);
}

TEST_F(AwsInterfaceTest, EachCallIsOneEvent) {
  std::vector<nlohmann::json> events;
  log_->listen([&](const nlohmann::json& event) {
    if (event["event"] == "api_request") events.push_back(event);
  });
  call("GET", "/things/lamp");
  call("GET", "/things/none");
  call("GET", "/nothing");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["service"], "iot");
  EXPECT_EQ(events[0]["operation"], "DescribeThing");
  EXPECT_EQ(events[0]["status"], 200);
  EXPECT_FALSE(events[0].contains("error"));
  EXPECT_EQ(events[1]["error"], "ResourceNotFoundException");
  EXPECT_EQ(events[2]["operation"], "unknown");
}

TEST_F(AwsInterfaceTest, ARateIsKeptIfItIsAskedFor) {
  aws(true);
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    const auto response = call("GET", "/things");
    if (response.status == 200) continue;
    ++refused;
    EXPECT_EQ(error_of(response, 400), "ThrottlingException");
  }
  EXPECT_GE(refused, 1) << "ten a second";
  EXPECT_EQ(call("GET", "/things/lamp").status, 200) << "each operation has a rate of its own";
}

TEST_F(AwsInterfaceTest, WithoutBeingAskedForThereIsNoRate) {
  for (int i = 0; i < 100; ++i) ASSERT_EQ(call("GET", "/things").status, 200);
}

TEST(Throttle, ABucketHoldsASecondsWorthAndFillsAtItsRate) {
  Throttle throttle;
  const Throttle::Time start{};
  const auto admitted = [&](std::chrono::milliseconds at) {
    int count = 0;
    while (throttle.admit("x", 10, start + at)) ++count;
    return count;
  };
  EXPECT_EQ(admitted(std::chrono::milliseconds(0)), 10);
  EXPECT_EQ(admitted(std::chrono::milliseconds(500)), 5);
  EXPECT_EQ(admitted(std::chrono::milliseconds(550)), 0);
  EXPECT_EQ(admitted(std::chrono::hours(1)), 10);
}

TEST_F(AwsInterfaceTest, ACertificateActsForItsThingsOnly) {
  const auto key = crypto::P256Key::generate().value();
  const auto certificate = crypto::Certificate::self_signed({.common_name = "test",
                                                             .dns_names = {},
                                                             .ip_addresses = {},
                                                             .valid_from = kNow - 10,
                                                             .valid_until = kNow + 100},
                                                            key)
                               .value();
  const std::string id = certificate.fingerprint();
  ASSERT_TRUE(cloud_->certificates().register_certificate(certificate.pem()));
  ASSERT_TRUE(cloud_->things().attach_principal(lamp_, id));
  const auto ask = [&](const std::string& target, const std::string& fingerprint) {
    HttpRequestHead made = head("GET", target);
    made.client_certificate = fingerprint;
    return call_handler(aws().mutual_tls(), std::move(made));
  };
  EXPECT_EQ(ask("/things/lamp/jobs", id).status, 200);
  EXPECT_EQ(error_of(ask("/things/door/jobs", id), 403), "ForbiddenException");
  EXPECT_EQ(error_of(ask("/things/lamp/jobs", std::string(64, '0')), 400), "CertificateValidationException");
  EXPECT_EQ(error_of(ask("/things/lamp/jobs", ""), 400), "CertificateValidationException");
  ASSERT_TRUE(cloud_->certificates().set_status(id, cloud::CertificateStatus::kInactive));
  EXPECT_EQ(error_of(ask("/things/lamp/jobs", id), 400), "CertificateValidationException");
  ASSERT_TRUE(cloud_->certificates().set_status(id, cloud::CertificateStatus::kActive));
  HttpRequestHead on_the_other_port = head("GET", "/things/lamp");
  on_the_other_port.client_certificate = id;
  EXPECT_EQ(error_of(call_handler(aws().signed_requests(), std::move(on_the_other_port)), 404),
            "UnknownOperationException")
      << "a certificate opens nothing but the data plane";
  clock_.advance(101);
  EXPECT_EQ(error_of(ask("/things/lamp/jobs", id), 400), "CertificateValidationException")
      << "it has expired";
  clock_.advance(-112);
  EXPECT_EQ(error_of(ask("/things/lamp/jobs", id), 400), "CertificateValidationException")
      << "it has not begun";
}

TEST(Operations, AreEachThereOnce) {
  std::set<std::string> names;
  std::set<std::string> routes;
  for (const IotOperation& one : iot_operations()) {
    EXPECT_TRUE(names.insert(std::string(one.operation.name)).second) << one.operation.name;
    EXPECT_TRUE(routes.insert(fmt::format("{} {}", one.operation.verb, one.operation.uri)).second)
        << one.operation.name;
    EXPECT_GT(one.operation.requests_per_second, 0);
  }
  EXPECT_GE(names.size(), 69U);
  EXPECT_EQ(jobs_data_operations().size(), 4U);
}

TEST(MemberReader, NestingIsCountedOutsideTexts) {
  EXPECT_EQ(cloud::nesting_depth(""), 0U);
  EXPECT_EQ(cloud::nesting_depth(R"({"a":[1,{"b":"[[[[{{{{"}]})"), 3U);
  EXPECT_EQ(cloud::nesting_depth(R"({"a\"[":"\\"}[])"), 1U);
  EXPECT_EQ(cloud::nesting_depth("]]]]["), 1U);
}

}  // namespace
}  // namespace otasim::rest
