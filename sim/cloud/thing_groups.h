// Thing groups: static groups in a tree. A job aimed at a group reaches its members and those of all groups
// below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/attributes.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/page.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct ThingGroup {
  GroupName name;
  std::string group_id;
  std::optional<GroupName> parent = {};
  std::string description = {};
  std::int64_t created_at = 0;  ///< epoch seconds
  std::int64_t version = 1;     ///< one more with each update
  Attributes attributes = {};
};

struct CreateThingGroupRequest {
  GroupName name;
  std::optional<GroupName> parent = {};
  std::string description = {};
  Attributes attributes = {};
};

/// What is not given stays as it is.
struct UpdateThingGroupRequest {
  GroupName name;
  std::optional<std::string> description = {};
  std::optional<Attributes> attributes = {};
  bool merge = false;  ///< into those that are there, instead of in their place
  std::optional<std::int64_t> expected_version = {};
};

struct ListThingGroupsRequest {
  PageRequest page = {};
  std::optional<GroupName> parent = {};  ///< only groups right below it
  bool recursive = true;                 ///< also those further down; without a parent: not only the roots
  std::string name_prefix = {};
};

struct GroupChanges {
  std::vector<GroupName> leave = {};
  std::vector<GroupName> join = {};  ///< of a group in both lists the thing is a member afterwards
};

class ThingGroups {
 public:
  ThingGroups(Database& database, const Clock& clock, UuidSource uuid, JobsService& jobs)
      : database_(database), clock_(clock), uuid_(std::move(uuid)), jobs_(jobs) {}

  /// Creates a group; one that exists already with the same parent is left as it is.
  /// @returns kResourceNotFound for the parent, kResourceAlreadyExists with another parent, kInvalidRequest
  /// for a
  ///          tree deeper than AWS allows
  ServiceResult<ThingGroup> create(const CreateThingGroupRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<ThingGroup> describe(const GroupName& name);
  /// @returns the new version; kResourceNotFound, kVersionMismatch, kInvalidRequest as check_attributes()
  ServiceResult<std::int64_t> update(const UpdateThingGroupRequest& request);
  /// In order of their names. @returns kInvalidRequest for a bad page, kResourceNotFound for the parent
  [[nodiscard]] ServiceResult<Page<ThingGroup>> list(const PageRequest& page = {}) {
    return list({.page = page});
  }
  [[nodiscard]] ServiceResult<Page<ThingGroup>> list(const ListThingGroupsRequest& request);
  /// Deletes a group; its members stay things. @returns kResourceNotFound, kVersionMismatch, kInvalidRequest
  /// while it has children
  ServiceResult<void> remove(const GroupName& name, std::optional<std::int64_t> expected_version = {});

  /// Adds a member, who gets the group's continuous jobs; one that is a member already stays so.
  /// @returns kResourceNotFound for the group or the thing
  ServiceResult<void> add_thing(const GroupName& group, const ThingName& thing);
  /// Takes a member out; what is open of the group's continuous jobs becomes REMOVED for it.
  /// @returns kResourceNotFound for the group or the thing; one that is no member stays none
  ServiceResult<void> remove_thing(const GroupName& group, const ThingName& thing);
  /// Takes a thing out of groups and adds it to others, all or nothing. What is open of a continuous job goes
  /// on if the thing is its target before and after. @returns kResourceNotFound for a group or the thing
  ServiceResult<void> change_groups_of(const ThingName& thing, const GroupChanges& changes);

  /// In order of their names. @param recursive  also members of the groups below
  /// @returns kResourceNotFound, kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<ThingName>> things_in(const GroupName& group, bool recursive,
                                                         const PageRequest& page = {});
  /// The groups a thing is itself a member of.
  [[nodiscard]] ServiceResult<std::vector<GroupName>> groups_of(const ThingName& thing);

 private:
  [[nodiscard]] ServiceResult<void> check_members(const GroupName& group, const ThingName& thing);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  JobsService& jobs_;
};

}  // namespace otasim::cloud
