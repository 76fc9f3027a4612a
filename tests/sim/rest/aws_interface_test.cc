// The AWS interface without network and clients: routing, the order of checks, errors' shapes, limits. What
// each operation answers is iot_clients_test's.
#include "sim/rest/aws_interface.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/base/json_nesting.h"
#include "sim/cloud/arn.h"
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
  EXPECT_EQ(error_of(call("DELETE", "/things/lamp/jobs/.."), 404), "UnknownOperationException")
      << "it is signed as /things/lamp";
  EXPECT_EQ(error_of(call("GET", "/./things/lamp"), 404), "UnknownOperationException");
  EXPECT_EQ(error_of(call("GET", "//things/lamp"), 404), "UnknownOperationException");
  EXPECT_TRUE(cloud_->things().describe(lamp_));
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

TEST_F(AwsInterfaceTest, SignerAndAcmKeepRatesInTheirOwnWords) {
  aws(true);
  HttpResponse last;
  for (int i = 0; i < 100 && last.status == 200; ++i) last = call("GET", "/signing-platforms", "", "signer");
  EXPECT_EQ(error_of(last, 429), "TooManyRequestsException");
  const auto list = [&](const std::string& operation) {
    HttpRequestHead made = head("POST", "/");
    made.headers.emplace_back("X-Amz-Target", "CertificateManager." + operation);
    signer_.service = "acm";
    signer_.sign(made, sha256_hex("{}"));
    return call_handler(aws().signed_requests(), std::move(made), "{}");
  };
  last = list("ListCertificates");
  ASSERT_EQ(last.status, 200) << last.body;
  for (int i = 0; i < 100 && last.status == 200; ++i) last = list("ListCertificates");
  EXPECT_EQ(last.status, 400);
  EXPECT_EQ(header_of(last, "x-amzn-ErrorType"), "ThrottlingException");
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

TEST_F(AwsInterfaceTest, WhatNeedsNoBodyIsCheckedBeforeIt) {
  const auto answered_at_once = [](HttpHandler& handler, const HttpRequestHead& asked) {
    auto decision = handler.begin(asked);
    const auto* const answer = std::get_if<HttpResponse>(&decision);
    return answer != nullptr ? header_of(*answer, "x-amzn-ErrorType") : "";
  };
  const auto signed_by = [&](const test::Signer& signer, const char* target = "/things/new") {
    HttpRequestHead made = head("POST", target);
    made.has_body = true;
    made.headers.emplace_back("X-Amz-Target", "CertificateManager.ListCertificates");  // only ACM looks at it
    signer.sign(made, sha256_hex("{}"));
    return made;
  };
  HttpRequestHead unsigned_request = head("POST", "/things/new");
  unsigned_request.has_body = true;
  EXPECT_EQ(answered_at_once(aws().signed_requests(), unsigned_request),
            "MissingAuthenticationTokenException");
  test::Signer stranger = signer_;
  stranger.access_key_id = "x";
  EXPECT_EQ(answered_at_once(aws().signed_requests(), signed_by(stranger)), "UnrecognizedClientException");
  stranger.service = "acm";
  EXPECT_EQ(answered_at_once(aws().signed_requests(), signed_by(stranger, "/")),
            "UnrecognizedClientException");
  test::Signer late = signer_;
  late.date = "20100101T000000Z";
  EXPECT_EQ(answered_at_once(aws().signed_requests(), signed_by(late)), "InvalidSignatureException");
  test::Signer liar = signer_;
  liar.secret_access_key = "x";
  HttpRequestHead declared = head("POST", "/things/new");
  declared.has_body = true;
  declared.headers.emplace_back("x-amz-content-sha256", sha256_hex("{}"));
  liar.sign(declared, sha256_hex("{}"));
  EXPECT_EQ(answered_at_once(aws().signed_requests(), declared), "InvalidSignatureException")
      << "what the body is to be is known";
  EXPECT_EQ(answered_at_once(aws().signed_requests(), signed_by(signer_)), "") << "the body decides";
  HttpRequestHead update = head("POST", "/things/lamp/jobs/j");
  update.has_body = true;
  EXPECT_EQ(answered_at_once(aws().mutual_tls(), update), "CertificateValidationException");
}

TEST_F(AwsInterfaceTest, WhomACallIsAboutMustBeSigned) {
  const std::string id = attach_certificate(door_);
  const std::string arn = cloud::iot_arn("cert", id);
  const auto ask = [&](const std::string& method, const std::string& target, const char* header) {
    HttpRequestHead made = head(method, target);
    signer_.service = "iot";
    signer_.sign(made, sha256_hex(""));
    made.headers.emplace_back(header, arn);
    return call_handler(aws().signed_requests(), std::move(made));
  };
  EXPECT_EQ(error_of(ask("PUT", "/things/lamp/principals", "x-amzn-principal"), 403),
            "InvalidSignatureException");
  EXPECT_EQ(error_of(ask("DELETE", "/principal-policies/otasim-device", "x-amzn-iot-principal"), 403),
            "InvalidSignatureException");
  EXPECT_THAT(cloud_->things().principals_of(lamp_).value(), ElementsAre());
}

TEST_F(AwsInterfaceTest, ATokenIsTheKeyOfTheLastThatWasListed) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(attach_certificate(lamp_));
  std::ranges::sort(ids);
  const auto first =
      nlohmann::json::parse(call("GET", "/things/lamp/principals?maxResults=2").body, nullptr, false);
  ASSERT_EQ(first["principals"].size(), 2U);
  ASSERT_TRUE(cloud_->things().detach_principal(lamp_, ids[0]));
  const auto second = nlohmann::json::parse(
      call("GET", "/things/lamp/principals?nextToken=" + first["nextToken"].get<std::string>()).body, nullptr,
      false);
  EXPECT_EQ(second["principals"], nlohmann::json::array({cloud::iot_arn("cert", ids[2])}))
      << "none is missed because an earlier one has gone";
  EXPECT_FALSE(second.contains("nextToken"));
}

TEST_F(AwsInterfaceTest, AForcedDeletionThatFailsLeavesThePolicies) {
  const std::string id = attach_certificate(lamp_);
  ASSERT_TRUE(cloud_->certificates().set_status(id, cloud::CertificateStatus::kInactive));
  EXPECT_EQ(error_of(call("DELETE", "/certificates/" + id + "?forceDelete=true"), 409),
            "DeleteConflictException");
  EXPECT_EQ(cloud_->policies().attached_to(id)->items.size(), 1U);
  ASSERT_TRUE(cloud_->things().detach_principal(lamp_, id));
  EXPECT_EQ(error_of(call("DELETE", "/certificates/" + id), 409), "DeleteConflictException");
  EXPECT_EQ(call("DELETE", "/certificates/" + id + "?forceDelete=true").status, 200);
  EXPECT_FALSE(cloud_->certificates().describe(id));
}

TEST_F(AwsInterfaceTest, AThingChangesItsGroupsAllAtOnce) {
  ASSERT_EQ(call("POST", "/thing-groups/a").status, 200);
  ASSERT_EQ(call("POST", "/thing-groups/b").status, 200);
  const auto group = [](const char* name) { return cloud::GroupName::parse(name).value(); };
  ASSERT_TRUE(cloud_->groups().add_thing(group("a"), lamp_));
  ASSERT_TRUE(jobs().create({.id = job("both"),
                             .document = "{}",
                             .targets = {group("a"), group("b")},
                             .target_selection = cloud::TargetSelection::kContinuous}));
  ASSERT_TRUE(jobs().start_next(lamp_, {}).value());
  const auto change = [&](const char* body) {
    return call("PUT", "/thing-groups/updateThingGroupsForThing", body);
  };
  EXPECT_EQ(
      error_of(change(R"({"thingName":"lamp","thingGroupsToRemove":["a"],"thingGroupsToAdd":["b","typo"]})"),
               404),
      "ResourceNotFoundException");
  EXPECT_THAT(cloud_->groups().groups_of(lamp_).value(), ElementsAre(group("a")));
  EXPECT_EQ(change(R"({"thingName":"lamp","thingGroupsToRemove":["a"],"thingGroupsToAdd":["b"]})").status,
            200);
  EXPECT_THAT(cloud_->groups().groups_of(lamp_).value(), ElementsAre(group("b")));
  const auto execution = jobs().describe(job("both"), lamp_, std::nullopt).value();
  EXPECT_EQ(execution.execution_number, 1);
  EXPECT_EQ(execution.state.status, cloud::ExecutionStatus::kInProgress)
      << "the thing never ceased to be a target";
}

TEST_F(AwsInterfaceTest, WhatCannotHaveItsTagsIsNotMade) {
  auto store = cloud::Database::open(folder_.file("cloud.sqlite")).value();
  ASSERT_TRUE(store->run_script(
      "CREATE TRIGGER no_tags BEFORE INSERT ON tags BEGIN SELECT RAISE(ABORT, 'no tags'); END;"));
  ASSERT_TRUE(upload(pattern(10)).size == 10);
  const std::string tags = R"("tags":[{"Key":"k","Value":"v"}])";
  const std::string role = R"("roleArn":"arn:aws:iam::000000000000:role/r",)";
  const std::string lamp = R"("targets":["arn:aws:iot:us-east-1:000000000000:thing/lamp"],)";
  const auto refused = [&](const std::string& method, const std::string& target, const std::string& body) {
    return error_of(call(method, target, "{" + body + tags + "}"), 500);
  };
  EXPECT_EQ(refused("POST", "/thing-groups/g", ""), "InternalFailureException");
  EXPECT_EQ(refused("PUT", "/jobs/j", lamp + R"("document":"{}",)"), "InternalFailureException");
  EXPECT_EQ(refused("PUT", "/job-templates/t", R"("description":"d","document":"{}",)"),
            "InternalFailureException");
  EXPECT_EQ(refused("POST", "/policies/p",
                    R"("policyDocument":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",)"
                    R"(\"Resource\":\"*\"}}",)"),
            "InternalFailureException");
  const std::string file = R"("s3Location":{"bucket":"firmware","key":"app.bin"}})";
  EXPECT_EQ(refused("POST", "/streams/s", role + R"("files":[{"fileId":0,)" + file + "],"),
            "InternalFailureException");
  EXPECT_EQ(refused("POST", "/otaUpdates/u",
                    role + lamp + R"("files":[{"fileName":"f","fileLocation":{)" + file + "}],"),
            "InternalFailureException");
  for (const char* gone :
       {"/thing-groups/g", "/jobs/j", "/job-templates/t", "/policies/p", "/streams/s", "/otaUpdates/u"}) {
    EXPECT_EQ(error_of(call("GET", gone), 404), "ResourceNotFoundException") << gone;
  }
  EXPECT_THAT(pending(lamp_), ElementsAre());
  EXPECT_THAT(cloud_->streams().list({})->items, ElementsAre());
}

/// A device that comes with a certificate of its own.
class MutualTlsTest : public AwsInterfaceTest {
 protected:
  void SetUp() override {
    id_ = certificate_.fingerprint();
    ASSERT_TRUE(cloud_->certificates().register_certificate(certificate_.pem()));
    ASSERT_TRUE(cloud_->things().attach_principal(lamp_, id_));
  }

  void allow(const std::string& name, const std::string& effect, const std::string& action,
             const std::string& resource) {
    const nlohmann::json document{
        {"Version", "2012-10-17"},
        {"Statement", {{{"Effect", effect}, {"Action", action}, {"Resource", resource}}}}};
    const auto policy = cloud::PolicyName::trusted(name);
    const auto made = cloud_->policies().create(policy, document.dump());
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(cloud_->policies().attach(policy, id_));
  }

  HttpRequestHead request(const std::string& method, const std::string& target, const std::string& id) const {
    HttpRequestHead made = head(method, target);
    made.client_certificate = id;
    made.client_validity = {kNow - 10, kNow + 100};
    return made;
  }
  HttpResponse ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    return call_handler(aws().mutual_tls(), request(method, target, id_), body);
  }

  crypto::P256Key device_key_ = crypto::P256Key::generate().value();
  crypto::Certificate certificate_ =
      crypto::Certificate::self_signed({.common_name = "test", .dns_names = {}, .ip_addresses = {}},
                                       device_key_)
          .value();
  std::string id_;
};

constexpr const char* kLampsArn = "arn:aws:iot:us-east-1:000000000000:thing/lamp";
constexpr const char* kOwnArn = "arn:aws:iot:us-east-1:000000000000:thing/${iot:Connection.Thing.ThingName}";

TEST_F(MutualTlsTest, ACertificateActsForItsThingsOnly) {
  allow("all", "Allow", "*", "*");
  EXPECT_EQ(ask("GET", "/things/lamp/jobs").status, 200);
  EXPECT_EQ(error_of(ask("GET", "/things/door/jobs"), 403), "ForbiddenException");
  const auto ask_as = [&](const std::string& id) {
    return call_handler(aws().mutual_tls(), request("GET", "/things/lamp/jobs", id));
  };
  EXPECT_EQ(error_of(ask_as(std::string(64, '0')), 400), "CertificateValidationException");
  EXPECT_EQ(error_of(ask_as(""), 400), "CertificateValidationException");
  ASSERT_TRUE(cloud_->certificates().set_status(id_, cloud::CertificateStatus::kInactive));
  EXPECT_EQ(error_of(ask_as(id_), 400), "CertificateValidationException");
  ASSERT_TRUE(cloud_->certificates().set_status(id_, cloud::CertificateStatus::kActive));
  EXPECT_EQ(error_of(call_handler(aws().signed_requests(), request("GET", "/things/lamp", id_)), 403),
            "MissingAuthenticationTokenException")
      << "a certificate opens nothing but the data plane";
}

TEST_F(MutualTlsTest, TheTimeOfTheCertificateThatCameCounts) {
  allow("all", "Allow", "*", "*");
  auto store = cloud::Database::open(folder_.file("cloud.sqlite")).value();
  ASSERT_TRUE(store->run_script("UPDATE certificates SET pem = ''")) << "known by its fingerprint alone";
  EXPECT_EQ(ask("GET", "/things/lamp/jobs").status, 200);
  clock_.advance(101);
  EXPECT_EQ(error_of(ask("GET", "/things/lamp/jobs"), 400), "CertificateValidationException")
      << "it has expired";
  clock_.advance(-112);
  EXPECT_EQ(error_of(ask("GET", "/things/lamp/jobs"), 400), "CertificateValidationException")
      << "it has not begun";
}

TEST_F(MutualTlsTest, PoliciesDecide) {
  create_job("j");
  EXPECT_EQ(error_of(ask("GET", "/things/lamp/jobs"), 403), "ForbiddenException") << "it has no policy";
  allow("read", "Allow", "iotjobsdata:GetPendingJobExecutions", kLampsArn);
  EXPECT_EQ(ask("GET", "/things/lamp/jobs").status, 200);
  EXPECT_EQ(error_of(ask("GET", "/things/lamp/jobs/j"), 403), "ForbiddenException");
  EXPECT_EQ(error_of(ask("PUT", "/things/lamp/jobs/$next"), 403), "ForbiddenException");
  EXPECT_EQ(error_of(ask("POST", "/things/lamp/jobs/j", R"({"status":"SUCCEEDED"})"), 403),
            "ForbiddenException");
  EXPECT_EQ(pending(lamp_).size(), 1U) << "nothing was done";
  allow("own", "Allow", "iotjobsdata:*", kOwnArn);
  EXPECT_EQ(ask("GET", "/things/lamp/jobs/j").status, 200);
  EXPECT_EQ(ask("PUT", "/things/lamp/jobs/$next").status, 200);
  allow("no", "Deny", "iotjobsdata:UpdateJobExecution", "*");
  EXPECT_EQ(error_of(ask("POST", "/things/lamp/jobs/j", R"({"status":"SUCCEEDED"})"), 403),
            "ForbiddenException");
  ASSERT_TRUE(cloud_->policies().detach(cloud::PolicyName::trusted("no"), id_));
  EXPECT_EQ(ask("POST", "/things/lamp/jobs/j", R"({"status":"SUCCEEDED"})").status, 200);
}

TEST_F(MutualTlsTest, TheLabsOwnDevicesMayUseTheirJobs) {
  create_job("j");
  ASSERT_TRUE(cloud_->policies().attach(cloud::PolicyName::trusted(cloud::kOtaDevicePolicyName), id_));
  EXPECT_EQ(ask("GET", "/things/lamp/jobs").status, 200);
  EXPECT_EQ(ask("GET", "/things/lamp/jobs/j").status, 200);
  EXPECT_EQ(ask("PUT", "/things/lamp/jobs/$next").status, 200);
  EXPECT_EQ(ask("POST", "/things/lamp/jobs/j", R"({"status":"SUCCEEDED"})").status, 200);
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
  EXPECT_EQ(nesting_depth(""), 0U);
  EXPECT_EQ(nesting_depth(R"({"a":[1,{"b":"[[[[{{{{"}]})"), 3U);
  EXPECT_EQ(nesting_depth(R"({"a\"[":"\\"}[])"), 1U);
  EXPECT_EQ(nesting_depth("]]]]["), 1U);
}

}  // namespace
}  // namespace otasim::rest
