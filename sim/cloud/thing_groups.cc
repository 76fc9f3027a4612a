#include "sim/cloud/thing_groups.h"

#include <fmt/format.h>

namespace otasim::cloud {

namespace {

/// AWS IoT's limit of a hierarchy's depth.
constexpr int kMaxDepth = 7;

ThingGroup read_group(const Row& row) {
  ThingGroup group{GroupName::trusted(row.text(0)), row.text(1)};
  if (std::string parent = row.text(2); !parent.empty()) group.parent = GroupName::trusted(std::move(parent));
  group.description = row.text(3);
  group.created_at = row.integer(4);
  group.version = row.integer(5);
  group.attributes = attributes_from_text(row.text(6));
  return group;
}

ServiceResult<void> check_version(const ThingGroup& group, const std::optional<std::int64_t>& expected) {
  if (!expected || *expected == group.version) return {};
  return refuse(ErrorCode::kVersionMismatch, fmt::format("Thing group {} has version {}, not {}.",
                                                         group.name.str(), group.version, *expected));
}

}  // namespace

ServiceResult<ThingGroup> ThingGroups::create(const CreateThingGroupRequest& request) {
  if (auto valid = check_attributes(request.attributes); !valid) return tl::unexpected(valid.error());
  return database_.transaction([&]() -> ServiceResult<ThingGroup> {
    auto known = describe(request.name);
    if (known && known->parent == request.parent) return known;
    if (known) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Thing group {} exists already with another parent.", request.name.str()));
    }
    int depth = 1;
    for (auto parent = request.parent; parent; ++depth) {
      if (depth == kMaxDepth) {
        return refuse(ErrorCode::kInvalidRequest, fmt::format("Thing groups may be {} deep.", kMaxDepth));
      }
      const auto above = describe(*parent);
      if (!above) return above;
      parent = above->parent;
    }
    const Value parent = request.parent ? Value{request.parent->str()} : Value{nullptr};
    const auto added = database_.execute(
        "INSERT INTO thing_groups(name, group_id, parent, description, created_at, attributes) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        {request.name.str(), uuid_(), parent, request.description, clock_.now(),
         attributes_to_text(request.attributes)});
    if (!added) return tl::unexpected(added.error());
    return describe(request.name);
  });
}

ServiceResult<ThingGroup> ThingGroups::describe(const GroupName& name) {
  std::optional<ThingGroup> group;
  const auto read = database_.query(
      "SELECT name, group_id, parent, description, created_at, version, attributes FROM thing_groups "
      "WHERE name = ?",
      {name.str()}, [&group](const Row& row) { group = read_group(row); });
  if (!read) return tl::unexpected(read.error());
  if (!group) {
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Thing group {} does not exist.", name.str()));
  }
  return *group;
}

ServiceResult<std::int64_t> ThingGroups::update(const UpdateThingGroupRequest& request) {
  return database_.transaction([&]() -> ServiceResult<std::int64_t> {
    const auto group = describe(request.name);
    if (!group) return tl::unexpected(group.error());
    if (auto valid = check_version(*group, request.expected_version); !valid) {
      return tl::unexpected(valid.error());
    }
    const Attributes attributes =
        request.attributes ? updated_attributes(group->attributes, *request.attributes, request.merge)
                           : group->attributes;
    if (auto valid = check_attributes(attributes); !valid) return tl::unexpected(valid.error());
    const auto saved = database_.execute(
        "UPDATE thing_groups SET description = ?, attributes = ?, version = version + 1 WHERE name = ?",
        {request.description.value_or(group->description), attributes_to_text(attributes),
         request.name.str()});
    if (!saved) return tl::unexpected(saved.error());
    return group->version + 1;
  });
}

ServiceResult<Page<ThingGroup>> ThingGroups::list(const ListThingGroupsRequest& request) {
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  if (request.parent) {
    if (const auto known = describe(*request.parent); !known) return tl::unexpected(known.error());
  }
  std::vector<ThingGroup> all;
  // `parent IS ?2`: those right below it, or the roots.
  const auto read = database_.query(
      "WITH RECURSIVE below(name) AS ("
      "  SELECT name FROM thing_groups WHERE parent IS ?2"
      "  UNION SELECT g.name FROM thing_groups g JOIN below ON g.parent = below.name WHERE ?3) "
      "SELECT name, group_id, parent, description, created_at, version, attributes FROM thing_groups "
      "WHERE name IN below AND name > ?1 AND substr(name, 1, length(?4)) = ?4 ORDER BY name LIMIT ?5",
      {start->after, request.parent ? Value{request.parent->str()} : Value{nullptr},
       static_cast<std::int64_t>(request.recursive), request.name_prefix, start->limit},
      [&all](const Row& row) { all.push_back(read_group(row)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const ThingGroup& group) { return group.name.str(); });
}

ServiceResult<void> ThingGroups::remove(const GroupName& name, std::optional<std::int64_t> expected_version) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto known = describe(name);
    if (!known) return tl::unexpected(known.error());
    if (auto valid = check_version(*known, expected_version); !valid) return valid;
    bool has_children = false;
    const auto read = database_.query("SELECT 1 FROM thing_groups WHERE parent = ? LIMIT 1", {name.str()},
                                      [&has_children](const Row&) { has_children = true; });
    if (!read) return tl::unexpected(read.error());
    if (has_children) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Thing group {} has groups below it: delete them first.", name.str()));
    }
    std::vector<ThingName> members;
    const auto listed =
        database_.query("SELECT thing FROM thing_group_members WHERE group_name = ?", {name.str()},
                        [&members](const Row& row) { members.push_back(ThingName::trusted(row.text(0))); });
    if (!listed) return tl::unexpected(listed.error());
    for (const ThingName& member : members) {
      if (auto left = remove_thing(name, member); !left) return left;
    }
    const auto removed = database_.execute("DELETE FROM thing_groups WHERE name = ?", {name.str()});
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

ServiceResult<void> ThingGroups::check_members(const GroupName& group, const ThingName& thing) {
  if (const auto known = describe(group); !known) return tl::unexpected(known.error());
  bool found = false;
  const auto read = database_.query("SELECT 1 FROM things WHERE name = ?", {thing.str()},
                                    [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(read.error());
  if (!found)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Thing {} does not exist.", thing.str()));
  return {};
}

ServiceResult<void> ThingGroups::add_thing(const GroupName& group, const ThingName& thing) {
  return change_groups_of(thing, {.leave = {}, .join = {group}});
}

ServiceResult<void> ThingGroups::remove_thing(const GroupName& group, const ThingName& thing) {
  return change_groups_of(thing, {.leave = {group}, .join = {}});
}

ServiceResult<void> ThingGroups::change_groups_of(const ThingName& thing, const GroupChanges& changes) {
  return database_.transaction([&]() -> ServiceResult<void> {
    for (const auto* const groups : {&changes.leave, &changes.join}) {
      for (const GroupName& group : *groups) {
        if (auto known = check_members(group, thing); !known) return known;
      }
    }
    return jobs_.retarget(thing, [&]() -> ServiceResult<void> {
      for (const GroupName& group : changes.leave) {
        const auto removed = database_.execute(
            "DELETE FROM thing_group_members WHERE group_name = ? AND thing = ?", {group.str(), thing.str()});
        if (!removed) return tl::unexpected(removed.error());
      }
      for (const GroupName& group : changes.join) {
        const auto added =
            database_.execute("INSERT OR IGNORE INTO thing_group_members(group_name, thing) VALUES (?, ?)",
                              {group.str(), thing.str()});
        if (!added) return tl::unexpected(added.error());
      }
      return {};
    });
  });
}

ServiceResult<Page<ThingName>> ThingGroups::things_in(const GroupName& group, bool recursive,
                                                      const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  if (const auto known = describe(group); !known) return tl::unexpected(known.error());
  std::vector<ThingName> all;
  const auto read = database_.query(
      "WITH RECURSIVE below(name) AS ("
      "  SELECT ?1 UNION SELECT g.name FROM thing_groups g JOIN below ON g.parent = below.name WHERE ?2) "
      "SELECT DISTINCT thing FROM thing_group_members WHERE group_name IN below AND thing > ?3 "
      "ORDER BY thing LIMIT ?4",
      {group.str(), static_cast<std::int64_t>(recursive), start->after, start->limit},
      [&all](const Row& row) { all.push_back(ThingName::trusted(row.text(0))); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const ThingName& thing) { return thing.str(); });
}

ServiceResult<std::vector<GroupName>> ThingGroups::groups_of(const ThingName& thing) {
  std::vector<GroupName> all;
  const auto read = database_.query(
      "SELECT group_name FROM thing_group_members WHERE thing = ? ORDER BY group_name", {thing.str()},
      [&all](const Row& row) { all.push_back(GroupName::trusted(row.text(0))); });
  if (!read) return tl::unexpected(read.error());
  return all;
}

}  // namespace otasim::cloud
