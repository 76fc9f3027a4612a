// Which of AWS IoT's events are published on `$aws/events/...`: none, until an operator asks for them.
//
//   events.update({{EventType::kJob, true}});      // UpdateEventConfigurations
//   if (events.enabled(EventType::kJob)) ...
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

enum class EventType {
  kThing,
  kThingGroup,
  kThingType,
  kThingGroupMembership,
  kThingGroupHierarchy,
  kThingTypeAssociation,
  kJob,
  kJobExecution,
  kPolicy,
  kCertificate,
  kCaCertificate,
};
/// `THING`, `JOB_EXECUTION` and so on
[[nodiscard]] std::string_view to_string(EventType type);
[[nodiscard]] std::optional<EventType> event_type(std::string_view name);

class EventConfigurations {
 public:
  struct Description {
    std::map<EventType, bool> enabled = {};       ///< every type
    std::optional<std::int64_t> created_at = {};  ///< epoch seconds; none: never updated
    std::optional<std::int64_t> last_modified_at = {};
  };

  EventConfigurations(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  /// Types that are not named stay as they are. @returns kInternalError alone
  ServiceResult<void> update(const std::map<EventType, bool>& changes);
  [[nodiscard]] ServiceResult<Description> describe();
  /// A store that fails publishes nothing.
  [[nodiscard]] bool enabled(EventType type);

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace otasim::cloud
