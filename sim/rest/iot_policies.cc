// Policies, and the certificates they are attached to.
#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json_nesting.h"
#include "sim/cloud/arn.h"
#include "sim/crypto/key.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

constexpr std::size_t kMaxDocument = 404'600;
constexpr const char* kVersion = "1";

cloud::PolicyName policy_name(const MemberReader& from) {
  return from.required_identifier<cloud::PolicyName>("policyName", kPolicyPattern);
}

Json policy_json(const cloud::Policy& policy) {
  return {{"policyName", policy.name.str()}, {"policyArn", cloud::iot_arn("policy", policy.name.str())}};
}

Json policies_json(const cloud::Page<cloud::Policy>& page) {
  Json answer{{"policies", Json::array()}};
  for (const cloud::Policy& policy : page.items) answer["policies"].push_back(policy_json(policy));
  add_next_token(answer, page.next_token, "nextMarker");
  return answer;
}

std::optional<std::string> header(const ApiCall& call, const char* name) {
  const auto given = call.head.single(name);
  return given ? std::optional(std::string(*given)) : std::nullopt;
}

/// AWS knows other targets (thing groups, Cognito identities); policies go to certificates here.
std::string target_of(ApiCall& call, const MemberReader& from) {
  return certificate_in(call, "target", from.required_text("target"));
}

ApiResult<Json> attach(IotServices& iot, ApiCall& call, const cloud::PolicyName& policy,
                       const std::string& certificate) {
  if (call.failed()) return call.error();
  const auto done = iot.cloud.policies().attach(policy, certificate);
  if (!done) return call.refused(done.error());
  return Json();
}

ApiResult<Json> detach(IotServices& iot, ApiCall& call, const cloud::PolicyName& policy,
                       const std::string& certificate) {
  if (call.failed()) return call.error();
  const auto done = iot.cloud.policies().detach(policy, certificate);
  if (!done) return call.refused(done.error());
  return Json();
}

ApiResult<Json> list_of(IotServices& iot, ApiCall& call, const std::string& certificate) {
  const auto page = call.page("pageSize", "marker");
  if (call.failed()) return call.error();
  const auto all = iot.cloud.policies().attached_to(certificate, page);
  if (!all) return call.refused(all.error());
  return policies_json(*all);
}

}  // namespace

ApiResult<Json> create_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  const auto document = call.body.required_text("policyDocument", {.max = kMaxDocument});
  const auto tags = tags_of(call.body);
  if (call.failed()) return call.error();
  if (nesting_depth(document) > kMaxNesting) {
    return tl::unexpected(
        ApiError{400, "MalformedPolicyException", "The document is nested too deeply.", {}, {}});
  }
  const auto policy = create_tagged(iot, {"policy", name.str()}, tags,
                                    [&] { return iot.cloud.policies().create(name, document); });
  if (!policy) return call.refused(policy.error(), "policy", name.str());
  Json answer = policy_json(*policy);
  answer["policyDocument"] = policy->document;
  answer["policyVersionId"] = kVersion;
  return answer;
}

ApiResult<Json> get_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  if (call.failed()) return call.error();
  const auto policy = iot.cloud.policies().describe(name);
  if (!policy) return call.refused(policy.error());
  Json answer = policy_json(*policy);
  answer["policyDocument"] = policy->document;
  answer["defaultVersionId"] = kVersion;
  answer["creationDate"] = policy->created_at;
  answer["lastModifiedDate"] = policy->created_at;
  answer["generationId"] = kVersion;
  return answer;
}

ApiResult<Json> list_policies(IotServices& iot, ApiCall& call) {
  const auto page = call.page("pageSize", "marker");
  if (call.failed()) return call.error();
  const auto all = iot.cloud.policies().list(page);
  if (!all) return call.refused(all.error());
  return policies_json(*all);
}

ApiResult<Json> delete_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  if (call.failed()) return call.error();
  const auto removed = iot.cloud.policies().remove(name);
  if (!removed) return call.refused(removed.error());
  return Json();
}

ApiResult<Json> attach_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  return attach(iot, call, name, target_of(call, call.body));
}

ApiResult<Json> detach_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  return detach(iot, call, name, target_of(call, call.body));
}

ApiResult<Json> list_attached_policies(IotServices& iot, ApiCall& call) {
  return list_of(iot, call, target_of(call, call.uri));
}

ApiResult<Json> list_targets_for_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  const auto page = call.page("pageSize", "marker");
  if (call.failed()) return call.error();
  const auto all = iot.cloud.policies().targets_of(name, page);
  if (!all) return call.refused(all.error());
  Json answer{{"targets", Json::array()}};
  for (const std::string& id : all->items) answer["targets"].push_back(cloud::iot_arn("cert", id));
  add_next_token(answer, all->next_token, "nextMarker");
  return answer;
}

ApiResult<Json> attach_principal_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  return attach(iot, call, name, certificate_in(call, "principal", header(call, "x-amzn-iot-principal")));
}

ApiResult<Json> detach_principal_policy(IotServices& iot, ApiCall& call) {
  const auto name = policy_name(call.uri);
  return detach(iot, call, name, certificate_in(call, "principal", header(call, "x-amzn-iot-principal")));
}

ApiResult<Json> list_principal_policies(IotServices& iot, ApiCall& call) {
  return list_of(iot, call, certificate_in(call, "principal", header(call, "x-amzn-iot-principal")));
}

}  // namespace otasim::rest
