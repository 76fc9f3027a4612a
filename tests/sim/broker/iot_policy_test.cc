#include "sim/broker/iot_policy.h"

#include <gmock/gmock.h>

#include "sim/base/json.h"

namespace otasim::broker {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const PolicyContext kLamp{.client_id = "lamp", .thing = "lamp"};
const PolicyContext kNobody{.client_id = "console"};

json statement(const char* effect, const json& actions, const json& resources) {
  return {{"Effect", effect}, {"Action", actions}, {"Resource", resources}};
}

IotPolicy policy(const json& statements) {
  auto parsed = IotPolicy::parse(json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump());
  EXPECT_TRUE(parsed) << parsed.error();
  return parsed ? std::move(*parsed) : IotPolicy::parse(open_policy()).value();
}

bool allowed(const json& statements, std::string_view action, const std::string& resource,
             const PolicyContext& context = kLamp) {
  const IotPolicy one = policy(statements);
  return allows({&one, 1}, action, resource, context);
}

TEST(IotPolicy, AllowsNothingThatNoStatementAllows) {
  EXPECT_FALSE(allowed(statement("Allow", "iot:Connect", "*"), "iot:Publish", topic_resource("a")));
  EXPECT_FALSE(allows({}, "iot:Connect", client_resource("lamp"), kLamp));
}

TEST(IotPolicy, ADenialOutweighsEveryPermissionOfThisAndOtherPolicies) {
  const json all = statement("Allow", "*", "*");
  const json no = statement("Deny", "iot:Publish", topic_resource("secret/*"));
  EXPECT_FALSE(allowed(json::array({no, all}), "iot:Publish", topic_resource("secret/a")));
  EXPECT_FALSE(allowed(json::array({all, no}), "iot:Publish", topic_resource("secret/a")));
  EXPECT_TRUE(allowed(json::array({all, no}), "iot:Publish", topic_resource("open/a")));
  const std::array policies{policy(all), policy(no)};
  EXPECT_FALSE(allows(policies, "iot:Publish", topic_resource("secret/a"), kLamp));
}

TEST(IotPolicy, WildcardsStandForTextAndForOneCharacter) {
  const auto matches = [](const char* pattern, const char* topic) {
    return allowed(statement("Allow", "iot:*", topic_resource(pattern)), "iot:Publish",
                   topic_resource(topic));
  };
  EXPECT_TRUE(matches("a/*", "a/"));
  EXPECT_TRUE(matches("a/*/c", "a/b/b/c"));
  EXPECT_TRUE(matches("*a*a*", "xaxax"));
  EXPECT_FALSE(matches("*a*a*", "xax"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_FALSE(matches("a/b", "a/b/c"));
  EXPECT_FALSE(matches("a/+", "a/b")) << "+ is a character like any other";
  EXPECT_TRUE(matches("a/+", "a/+"));
}

TEST(IotPolicy, AStarThatMatchesBadlyDoesNotTakeForever) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  EXPECT_FALSE(allowed(statement("Allow", "iot:*", "arn:" + pattern + "b"), "iot:Publish",
                       "arn:" + std::string(250, 'a')));
}

TEST(IotPolicy, VariablesAreWhatIsKnownOfTheConnection) {
  const json own =
      statement("Allow", "iot:Publish", topic_resource("${iot:Connection.Thing.ThingName}/${iot:ClientId}"));
  EXPECT_TRUE(allowed(own, "iot:Publish", topic_resource("lamp/lamp")));
  EXPECT_FALSE(allowed(own, "iot:Publish", topic_resource("door/lamp")));
  EXPECT_FALSE(allowed(own, "iot:Publish", topic_resource("/console"), kNobody)) << "no value, no permission";
}

TEST(IotPolicy, AClientIdIsNeverAWildcard) {
  const json own = statement("Allow", "iot:Publish", topic_resource("${iot:ClientId}/x"));
  EXPECT_FALSE(allowed(own, "iot:Publish", topic_resource("lamp/x"), {.client_id = "*"}));
  EXPECT_TRUE(allowed(own, "iot:Publish", topic_resource("*/x"), {.client_id = "*"}));
}

TEST(IotPolicy, EscapesStandForThemselves) {
  const json star = statement("Allow", "iot:Publish", topic_resource("a${*}${?}${$}b"));
  EXPECT_TRUE(allowed(star, "iot:Publish", topic_resource("a*?$b")));
  EXPECT_FALSE(allowed(star, "iot:Publish", topic_resource("axy$b")));
}

TEST(IotPolicy, ConditionsMustAllHold) {
  json attached = statement("Allow", "iot:*", "*");
  attached["Condition"] = {{"Bool", {{"iot:Connection.Thing.IsAttached", {"true"}}}}};
  EXPECT_TRUE(allowed(attached, "iot:Connect", client_resource("lamp")));
  EXPECT_FALSE(allowed(attached, "iot:Connect", client_resource("console"), kNobody));
  json named = statement("Allow", "iot:*", "*");
  named["Condition"] = {{"StringLike", {{"iot:ClientId", "la*"}}},
                        {"StringNotEquals", {{"iot:ClientId", json::array({"lathe", "ladder"})}}}};
  EXPECT_TRUE(allowed(named, "iot:Connect", client_resource("lamp")));
  EXPECT_FALSE(allowed(named, "iot:Connect", client_resource("lathe"), {.client_id = "lathe"}));
  EXPECT_FALSE(allowed(named, "iot:Connect", client_resource("door"), {.client_id = "door"}));
}

TEST(IotPolicy, TheDevicePolicyIsWhatTheOtaDocumentationAsksFor) {
  const IotPolicy device = IotPolicy::parse(ota_device_policy()).value();
  const auto may = [&](const char* action, const std::string& resource,
                       const PolicyContext& context = kLamp) {
    return allows({&device, 1}, action, resource, context);
  };
  EXPECT_TRUE(may("iot:Connect", client_resource("lamp")));
  EXPECT_FALSE(may("iot:Connect", client_resource("door")));
  EXPECT_FALSE(may("iot:Connect", client_resource("lamp"), {.client_id = "lamp"})) << "attached to no thing";
  EXPECT_TRUE(may("iot:Publish", topic_resource("$aws/things/lamp/jobs/get")));
  EXPECT_TRUE(may("iot:Subscribe", topic_filter_resource("$aws/things/lamp/streams/+/data/cbor")));
  EXPECT_FALSE(may("iot:Publish", topic_resource("$aws/things/lamp2/jobs/get")));
  EXPECT_FALSE(may("iot:Publish", topic_resource("weather")));
  // Over HTTPS there is no client id.
  for (const char* action : {"iotjobsdata:DescribeJobExecution", "iotjobsdata:GetPendingJobExecutions",
                             "iotjobsdata:StartNextPendingJobExecution", "iotjobsdata:UpdateJobExecution"}) {
    EXPECT_TRUE(may(action, thing_resource("lamp"), {.thing = "lamp"})) << action;
    EXPECT_FALSE(may(action, thing_resource("door"), {.thing = "lamp"})) << action;
  }
}

TEST(IotPolicy, SaysWhatIsWrongWithADocument) {
  const auto complaint = [](const std::string& document) {
    const auto parsed = IotPolicy::parse(document);
    return parsed ? std::string() : parsed.error();
  };
  EXPECT_THAT(complaint("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(complaint("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(complaint(R"({"Version":"2020-01-01","Statement":[]})"), HasSubstr("Version"));
  EXPECT_THAT(complaint(R"({"Version":"2012-10-17"})"), HasSubstr("no Statement"));
  EXPECT_THAT(complaint(R"({"Statement":[]})"), HasSubstr("no Statement"));
  EXPECT_THAT(complaint(R"({"Statement":[7]})"), HasSubstr("must be an object"));
  const auto with = [&](const char* name, const json& value) {
    json one = statement("Allow", "iot:*", "*");
    one[name] = value;
    return complaint(json{{"Statement", one}}.dump());
  };
  EXPECT_THAT(with("Effect", "allow"), HasSubstr("Effect"));
  EXPECT_THAT(with("Action", "s3:GetObject"), HasSubstr("s3:GetObject"));
  EXPECT_THAT(with("Action", json::array()), HasSubstr("Action"));
  EXPECT_THAT(with("Resource", "topic/a"), HasSubstr("topic/a"));
  EXPECT_THAT(with("Resource", "arn:${iot:Unknown}"), HasSubstr("iot:Unknown"));
  EXPECT_THAT(with("Resource", "arn:${iot:ClientId"), HasSubstr("iot:ClientId"));
  EXPECT_THAT(with("Condition", {{"DateLessThan", {{"x", "y"}}}}), HasSubstr("DateLessThan"));
  EXPECT_THAT(with("Condition", {{"Bool", {{"aws:SourceIp", "y"}}}}), HasSubstr("aws:SourceIp"));
  EXPECT_THAT(with("Principal", "*"), HasSubstr("Principal"));
  EXPECT_THAT(with("Sid", std::string(kMaxPolicyCharacters, 'x')), HasSubstr("2048"));
}

}  // namespace
}  // namespace otasim::broker
