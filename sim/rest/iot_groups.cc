// Thing groups, and tags.
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/arn.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

constexpr std::int64_t kAnyVersion = 1'000'000'000'000;
constexpr std::size_t kMaxGroupsInCall = 100;

struct Properties {
  std::optional<std::string> description = {};
  AttributePayload attributes = {};
};

Properties properties_of(const MemberReader& body) {
  const auto properties = body.object("thingGroupProperties");
  if (!properties) return {};
  return {properties->text("thingGroupDescription", {.max = kMaxDescription}),
          attribute_payload(*properties)};
}

Json group_json(const cloud::GroupName& name) {
  return {{"groupName", name.str()}, {"groupArn", cloud::iot_arn("thinggroup", name.str())}};
}

/// Named by its name or its ARN; with both, they must agree.
template <typename Id>
Id name_or_arn(const MemberReader& body, const char* name, const char* arn, std::string_view kind) {
  auto id = body.identifier<Id>(name, kThingPattern);
  if (const auto given = body.text(arn)) {
    const auto text = cloud::name_in_arn(*given, kind);
    auto named = text ? Id::parse(*text) : std::nullopt;
    if (!named || (id && *id != *named)) {
      body.fail_constraint(arn, *given, fmt::format("Member must be the ARN of what {} names", name));
    }
    if (!id) id = std::move(named);
  } else if (!id) {
    body.fail_missing(name);
  }
  return id ? *std::move(id) : Id::trusted({});
}

/// The groups above a group, from the root down.
cloud::ServiceResult<Json> ancestors(cloud::ThingGroups& groups, std::optional<cloud::GroupName> parent) {
  Json above = Json::array();
  while (parent) {
    const auto group = groups.describe(*parent);
    if (!group) return tl::unexpected(group.error());
    above.insert(above.begin(), group_json(group->name));
    parent = group->parent;
  }
  return above;
}

}  // namespace

cloud::TagMap tags_of(const MemberReader& body) {
  cloud::TagMap tags;
  for (const MemberReader& tag : body.objects("tags", 0, cloud::kMaxTags)) {
    const auto key = tag.required_text("Key", {.min = 1, .max = 128});
    if (!tags.emplace(key, tag.text("Value", {.max = 256}).value_or("")).second) {
      tag.fail_constraint("Key", key, "Member must not be given twice");
    }
  }
  if (const auto valid = cloud::Tags::check(tags); !valid)
    body.fail(api_error(valid.error(), ApiStyle::kIot));
  return tags;
}

ApiResult<Json> create_thing_group(IotServices& iot, ApiCall& call) {
  cloud::CreateThingGroupRequest request{.name = group_name(call.uri)};
  request.parent = call.body.identifier<cloud::GroupName>("parentGroupName", kThingPattern);
  auto properties = properties_of(call.body);
  request.description = properties.description.value_or("");
  request.attributes = properties.attributes.attributes.value_or(cloud::Attributes{});
  const auto tags = tags_of(call.body);
  if (call.failed()) return call.error();
  const auto group = create_tagged(iot, {"thinggroup", request.name.str()}, tags,
                                   [&] { return iot.cloud.groups().create(request); });
  if (!group) return call.refused(group.error(), "thinggroup", request.name.str());
  return Json{{"thingGroupName", group->name.str()},
              {"thingGroupArn", cloud::iot_arn("thinggroup", group->name.str())},
              {"thingGroupId", group->group_id}};
}

ApiResult<Json> describe_thing_group(IotServices& iot, ApiCall& call) {
  const auto name = group_name(call.uri);
  if (call.failed()) return call.error();
  const auto group = iot.cloud.groups().describe(name);
  if (!group) return call.refused(group.error());
  auto above = ancestors(iot.cloud.groups(), group->parent);
  if (!above) return call.refused(above.error());
  Json properties{{"attributePayload", {{"attributes", group->attributes}}}};
  if (!group->description.empty()) properties["thingGroupDescription"] = group->description;
  Json metadata{{"creationDate", group->created_at}};
  if (group->parent) {
    metadata["parentGroupName"] = group->parent->str();
    metadata["rootToParentThingGroups"] = *std::move(above);
  }
  return Json{{"thingGroupName", group->name.str()},
              {"thingGroupId", group->group_id},
              {"thingGroupArn", cloud::iot_arn("thinggroup", group->name.str())},
              {"version", group->version},
              {"thingGroupProperties", std::move(properties)},
              {"thingGroupMetadata", std::move(metadata)}};
}

ApiResult<Json> update_thing_group(IotServices& iot, ApiCall& call) {
  cloud::UpdateThingGroupRequest request{.name = group_name(call.uri)};
  if (!call.body.has("thingGroupProperties")) call.body.fail_missing("thingGroupProperties");
  auto properties = properties_of(call.body);
  request.description = std::move(properties.description);
  request.attributes = std::move(properties.attributes.attributes);
  request.merge = properties.attributes.merge;
  request.expected_version = call.body.integer("expectedVersion", 0, kAnyVersion);
  if (call.failed()) return call.error();
  const auto version = iot.cloud.groups().update(request);
  if (!version) return call.refused(version.error());
  return Json{{"version", *version}};
}

ApiResult<Json> list_thing_groups(IotServices& iot, ApiCall& call) {
  cloud::ListThingGroupsRequest request{.page = call.page()};
  request.parent = call.uri.identifier<cloud::GroupName>("parentGroup", kThingPattern);
  if (call.uri.has("recursive")) request.recursive = call.uri.boolean("recursive");
  request.name_prefix = call.uri.text("namePrefixFilter", {.min = 1, .max = 128}).value_or("");
  if (call.failed()) return call.error();
  const auto page = iot.cloud.groups().list(request);
  if (!page) return call.refused(page.error());
  Json answer{{"thingGroups", Json::array()}};
  for (const cloud::ThingGroup& group : page->items) answer["thingGroups"].push_back(group_json(group.name));
  add_next_token(answer, page->next_token);
  return answer;
}

ApiResult<Json> delete_thing_group(IotServices& iot, ApiCall& call) {
  const auto name = group_name(call.uri);
  const auto version = call.uri.integer("expectedVersion", 0, kAnyVersion);
  if (call.failed()) return call.error();
  const auto removed = iot.cloud.groups().remove(name, version);
  // To delete what is not there is no error with AWS.
  if (!removed && removed.error().code != cloud::ErrorCode::kResourceNotFound) {
    return call.refused(removed.error());
  }
  return Json::object();
}

ApiResult<Json> add_thing_to_group(IotServices& iot, ApiCall& call) {
  const auto group =
      name_or_arn<cloud::GroupName>(call.body, "thingGroupName", "thingGroupArn", "thinggroup");
  const auto thing = name_or_arn<cloud::ThingName>(call.body, "thingName", "thingArn", "thing");
  static_cast<void>(call.body.boolean("overrideDynamicGroups"));  // there are none
  if (call.failed()) return call.error();
  if (const auto added = iot.cloud.groups().add_thing(group, thing); !added)
    return call.refused(added.error());
  return Json::object();
}

ApiResult<Json> remove_thing_from_group(IotServices& iot, ApiCall& call) {
  const auto group =
      name_or_arn<cloud::GroupName>(call.body, "thingGroupName", "thingGroupArn", "thinggroup");
  const auto thing = name_or_arn<cloud::ThingName>(call.body, "thingName", "thingArn", "thing");
  if (call.failed()) return call.error();
  if (const auto removed = iot.cloud.groups().remove_thing(group, thing); !removed) {
    return call.refused(removed.error());
  }
  return Json::object();
}

ApiResult<Json> update_groups_for_thing(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.body);
  const auto groups = [&call](const char* member) {
    std::vector<cloud::GroupName> names;
    for (const std::string& text : call.body.texts(member, 0, kMaxGroupsInCall)) {
      if (auto name = cloud::GroupName::parse(text)) {
        names.push_back(*std::move(name));
      } else {
        call.body.fail_constraint(member, text, kThingPattern);
      }
    }
    return names;
  };
  const cloud::GroupChanges changes{.leave = groups("thingGroupsToRemove"),
                                    .join = groups("thingGroupsToAdd")};
  if (call.failed()) return call.error();
  const auto done = iot.cloud.groups().change_groups_of(thing, changes);
  if (!done) return call.refused(done.error());
  return Json::object();
}

ApiResult<Json> list_things_in_group(IotServices& iot, ApiCall& call) {
  const auto group = group_name(call.uri);
  const bool recursive = call.uri.boolean("recursive");
  const auto page = call.page();
  if (call.failed()) return call.error();
  const auto things = iot.cloud.groups().things_in(group, recursive, page);
  if (!things) return call.refused(things.error());
  Json answer{{"things", Json::array()}};
  for (const cloud::ThingName& thing : things->items) answer["things"].push_back(thing.str());
  add_next_token(answer, things->next_token);
  return answer;
}

ApiResult<Json> list_groups_for_thing(IotServices& iot, ApiCall& call) {
  const auto thing = thing_name(call.uri);
  const auto page = call.page();
  if (call.failed()) return call.error();
  if (const auto known = iot.cloud.things().describe(thing); !known) return call.refused(known.error());
  auto all = iot.cloud.groups().groups_of(thing);
  if (!all) return call.refused(all.error());
  const auto part = page_of(*std::move(all), page, [](const cloud::GroupName& one) { return one.str(); });
  Json answer{{"thingGroups", Json::array()}};
  for (const cloud::GroupName& group : part.items) answer["thingGroups"].push_back(group_json(group));
  add_next_token(answer, part.next_token);
  return answer;
}

namespace {

cloud::IotResource resource_of(const MemberReader& from) {
  const auto arn = from.required_text("resourceArn");
  auto resource = cloud::parse_iot_arn(arn);
  if (!resource)
    from.fail_constraint("resourceArn", arn, "Member must be the ARN of a resource of this account");
  return resource.value_or(cloud::IotResource{});
}

}  // namespace

ApiResult<Json> tag_resource(IotServices& iot, ApiCall& call) {
  const auto resource = resource_of(call.body);
  const auto tags = tags_of(call.body);
  if (!call.body.has("tags")) call.body.fail_missing("tags");
  if (call.failed()) return call.error();
  if (const auto kept = iot.cloud.tags().tag(resource, tags); !kept) return call.refused(kept.error());
  return Json::object();
}

ApiResult<Json> untag_resource(IotServices& iot, ApiCall& call) {
  const auto resource = resource_of(call.body);
  const auto keys = call.body.texts("tagKeys", 1, cloud::kMaxTags, {.min = 1, .max = 128});
  if (call.failed()) return call.error();
  if (const auto done = iot.cloud.tags().untag(resource, keys); !done) return call.refused(done.error());
  return Json::object();
}

ApiResult<Json> list_tags(IotServices& iot, ApiCall& call) {
  const auto resource = resource_of(call.uri);
  if (call.failed()) return call.error();
  const auto tags = iot.cloud.tags().of(resource);
  if (!tags) return call.refused(tags.error());
  Json answer{{"tags", Json::array()}};
  for (const auto& [key, value] : *tags) answer["tags"].push_back({{"Key", key}, {"Value", value}});
  return answer;
}

}  // namespace otasim::rest
