#include "sim/cloud/event_configurations.h"

#include <algorithm>
#include <array>
#include <utility>

namespace otasim::cloud {

namespace {

constexpr std::array<std::pair<EventType, std::string_view>, 11> kNames{{
    {EventType::kThing, "THING"},
    {EventType::kThingGroup, "THING_GROUP"},
    {EventType::kThingType, "THING_TYPE"},
    {EventType::kThingGroupMembership, "THING_GROUP_MEMBERSHIP"},
    {EventType::kThingGroupHierarchy, "THING_GROUP_HIERARCHY"},
    {EventType::kThingTypeAssociation, "THING_TYPE_ASSOCIATION"},
    {EventType::kJob, "JOB"},
    {EventType::kJobExecution, "JOB_EXECUTION"},
    {EventType::kPolicy, "POLICY"},
    {EventType::kCertificate, "CERTIFICATE"},
    {EventType::kCaCertificate, "CA_CERTIFICATE"},
}};

}  // namespace

std::string_view to_string(EventType type) {
  for (const auto& [value, name] : kNames) {
    if (value == type) return name;
  }
  return "";
}

std::optional<EventType> event_type(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

ServiceResult<void> EventConfigurations::update(const std::map<EventType, bool>& changes) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const std::int64_t now = clock_.now();
    for (const auto& [type, enabled] : changes) {
      const auto kept = database_.execute(
          "INSERT INTO event_configurations(event_type, enabled, created_at, last_modified_at) "
          "VALUES (?1, ?2, ?3, ?3) ON CONFLICT(event_type) "
          "DO UPDATE SET enabled = ?2, last_modified_at = ?3",
          {to_string(type), static_cast<std::int64_t>(enabled), now});
      if (!kept) return tl::unexpected(kept.error());
    }
    return {};
  });
}

ServiceResult<EventConfigurations::Description> EventConfigurations::describe() {
  Description all;
  for (const auto& [type, name] : kNames) all.enabled[type] = false;
  const auto read =
      database_.query("SELECT event_type, enabled, created_at, last_modified_at FROM event_configurations",
                      {}, [&all](const Row& row) {
                        if (const auto type = event_type(row.text(0)))
                          all.enabled[*type] = row.integer(1) != 0;
                        all.created_at = std::min(all.created_at.value_or(INT64_MAX), row.integer(2));
                        all.last_modified_at = std::max(all.last_modified_at.value_or(0), row.integer(3));
                      });
  if (!read) return tl::unexpected(read.error());
  return all;
}

bool EventConfigurations::enabled(EventType type) {
  bool enabled = false;
  const auto read =
      database_.query("SELECT enabled FROM event_configurations WHERE event_type = ?", {to_string(type)},
                      [&enabled](const Row& row) { enabled = row.integer(0) != 0; });
  return read && enabled;
}

}  // namespace otasim::cloud
