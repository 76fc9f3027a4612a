// Tags of resources: names and values that mean something to their owner alone. They go with their resource.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/cloud/arn.h"
#include "sim/cloud/database.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr std::size_t kMaxTags = 50;

using TagMap = std::map<std::string, std::string>;

class Tags {
 public:
  explicit Tags(Database& database) : database_(database) {}

  /// Adds tags to a resource, replacing those of the same keys.
  /// @returns kResourceNotFound for a resource that does not exist or cannot have tags, kLimitExceeded,
  ///          kInvalidRequest for keys or values that are too long or AWS's own
  ServiceResult<void> tag(const IotResource& resource, const TagMap& tags);
  /// Keys that are not there are no error. @returns kResourceNotFound
  ServiceResult<void> untag(const IotResource& resource, const std::vector<std::string>& keys);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<TagMap> of(const IotResource& resource);
  /// @returns kInvalidRequest, kLimitExceeded: as tag() would for a new resource
  [[nodiscard]] static ServiceResult<void> check(const TagMap& tags);

 private:
  [[nodiscard]] ServiceResult<void> find(const IotResource& resource);

  Database& database_;
};

}  // namespace otasim::cloud
