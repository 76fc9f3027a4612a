// Things, their principals, endpoints.
#include <fmt/format.h>

#include "sim/cloud/arn.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

constexpr std::int64_t kAnyVersion = 1'000'000'000'000;
constexpr std::size_t kMaxEndpointType = 128;

Json thing_json(const cloud::Thing& thing) {
  return {{"thingName", thing.name.str()},
          {"thingArn", cloud::iot_arn("thing", thing.name.str())},
          {"attributes", thing.attributes},
          {"version", thing.version}};
}

/// Thing types and billing groups are not here; a thing that is to have one cannot be made.
void refuse_missing_kinds(const MemberReader& body) {
  for (const char* member : {"thingTypeName", "billingGroupName"}) {
    if (const auto name = body.text(member)) {
      body.fail(
          {404, "ResourceNotFoundException", fmt::format("{} {} does not exist.", member, *name), {}, {}});
    }
  }
}

}  // namespace

AttributePayload attribute_payload(const MemberReader& from) {
  const auto payload = from.object("attributePayload");
  if (!payload) return {};
  AttributePayload read;
  read.merge = payload->boolean("merge");
  if (payload->has("attributes")) read.attributes = payload->text_map("attributes");
  return read;
}

std::string certificate_in(const ApiCall& call, const char* name, const std::optional<std::string>& arn) {
  if (!arn) {
    call.uri.fail_missing(name);
    return {};
  }
  auto id = cloud::name_in_arn(*arn, "cert");
  if (!id) {
    call.uri.fail_constraint(name, *arn, "Member must be the ARN of a certificate of this account");
  }
  return id.value_or("");
}

ApiResult<Json> create_thing(IotServices& iot, ApiCall& call) {
  const auto name = thing_name(call.uri);
  const auto payload = attribute_payload(call.body);
  refuse_missing_kinds(call.body);
  if (call.failed()) return call.error();
  const auto thing = iot.cloud.things().create(name, payload.attributes.value_or(cloud::Attributes{}));
  if (!thing) return call.refused(thing.error(), "thing", name.str());
  return Json{{"thingName", thing->name.str()},
              {"thingArn", cloud::iot_arn("thing", thing->name.str())},
              {"thingId", thing->thing_id}};
}

ApiResult<Json> describe_thing(IotServices& iot, ApiCall& call) {
  const auto name = thing_name(call.uri);
  if (call.failed()) return call.error();
  const auto thing = iot.cloud.things().describe(name);
  if (!thing) return call.refused(thing.error());
  Json answer{{"defaultClientId", thing->name.str()}, {"thingId", thing->thing_id}};
  answer.update(thing_json(*thing));
  return answer;
}

ApiResult<Json> update_thing(IotServices& iot, ApiCall& call) {
  cloud::UpdateThingRequest request{.name = thing_name(call.uri)};
  auto payload = attribute_payload(call.body);
  request.attributes = std::move(payload.attributes);
  request.merge = payload.merge;
  request.expected_version = call.body.integer("expectedVersion", 0, kAnyVersion);
  static_cast<void>(call.body.boolean("removeThingType"));  // no thing has one
  refuse_missing_kinds(call.body);
  if (call.failed()) return call.error();
  if (const auto done = iot.cloud.things().update(request); !done) return call.refused(done.error());
  return Json::object();
}

ApiResult<Json> list_things(IotServices& iot, ApiCall& call) {
  cloud::ListThingsRequest request{.page = call.page()};
  request.attribute_name = call.uri.text("attributeName", {.max = 128}).value_or("");
  request.attribute_value = call.uri.text("attributeValue", {.max = 800}).value_or("");
  request.value_is_prefix = call.uri.boolean("usePrefixAttributeValue");
  const auto type = call.uri.text("thingTypeName");
  if (call.failed()) return call.error();
  Json answer{{"things", Json::array()}};
  if (type) return answer;
  const auto page = iot.cloud.things().list(request);
  if (!page) return call.refused(page.error());
  for (const cloud::Thing& thing : page->items) answer["things"].push_back(thing_json(thing));
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> delete_thing(IotServices& iot, ApiCall& call) {
  const auto name = thing_name(call.uri);
  const auto version = call.uri.integer("expectedVersion", 0, kAnyVersion);
  if (call.failed()) return call.error();
  const auto removed = iot.cloud.things().remove(name, version);
  // To delete what is not there is no error with AWS.
  if (!removed && removed.error().code != cloud::ErrorCode::kResourceNotFound) {
    return call.refused(removed.error());
  }
  return Json::object();
}

namespace {

std::optional<std::string> principal_header(const ApiCall& call, const char* name) {
  const auto given = call.head.single(name);
  return given ? std::optional(std::string(*given)) : std::nullopt;
}

}  // namespace

ApiResult<Json> attach_thing_principal(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto certificate = certificate_in(call, "principal", principal_header(call, "x-amzn-principal"));
  static_cast<void>(call.uri.one_of("thingPrincipalType", {"EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"}));
  if (call.failed()) return call.error();
  const auto attached = iot.cloud.things().attach_principal(thing, certificate);
  if (!attached) return call.refused(attached.error());
  return Json::object();
}

ApiResult<Json> detach_thing_principal(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto certificate = certificate_in(call, "principal", principal_header(call, "x-amzn-principal"));
  if (call.failed()) return call.error();
  const auto detached = iot.cloud.things().detach_principal(thing, certificate);
  if (!detached) return call.refused(detached.error());
  return Json::object();
}

ApiResult<Json> list_thing_principals(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto page = call.page();
  if (call.failed()) return call.error();
  auto all = iot.cloud.things().principals_of(thing);
  if (!all) return call.refused(all.error());
  const auto part = page_of(*std::move(all), page, [](const std::string& one) { return one; });
  Json answer{{"principals", Json::array()}};
  for (const std::string& id : part.items) answer["principals"].push_back(cloud::iot_arn("cert", id));
  add_next_token(answer, part.next_token);
  return answer;
}

ApiResult<Json> list_principal_things(IotServices& iot, ApiCall& call) {
  const auto certificate = certificate_in(call, "principal", principal_header(call, "x-amzn-principal"));
  const auto page = call.page();
  if (call.failed()) return call.error();
  if (const auto known = iot.cloud.certificates().describe(certificate); !known) {
    return call.refused(known.error());
  }
  auto all = iot.cloud.things().things_of(certificate);
  if (!all) return call.refused(all.error());
  const auto part = page_of(*std::move(all), page, [](const cloud::ThingName& one) { return one.str(); });
  Json answer{{"things", Json::array()}};
  for (const cloud::ThingName& thing : part.items) answer["things"].push_back(thing.str());
  add_next_token(answer, part.next_token);
  return answer;
}

ApiResult<Json> describe_endpoint(IotServices& iot, ApiCall& call) {
  const auto type = call.uri.text("endpointType", {.max = kMaxEndpointType}).value_or("iot:Data");
  if (call.failed()) return call.error();
  const auto address = iot.endpoint(type);
  if (!address) {
    return tl::unexpected(invalid_request(fmt::format("The endpoint type '{}' is not known.", type)));
  }
  return Json{{"endpointAddress", *address}};
}

}  // namespace otasim::rest
