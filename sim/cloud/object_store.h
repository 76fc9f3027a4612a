// Versioned objects, as a versioned S3 bucket holds them.
//
// An object's bytes are one file in the lab's folder, named by its version and never changed; the store knows
// the rest. The file is complete and on the disk before the store names it, so an object that can be found
// can be read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/base/unique_fd.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct ObjectLocation {
  std::string bucket;
  std::string key;
  std::string version;
};

struct ObjectInfo {
  ObjectLocation location;
  std::int64_t size = 0;
  std::string etag;  ///< SHA-256 of the content, lower-case hex
};

class ObjectStore {
 public:
  /// @param folder  where the content goes; made if it is missing
  ObjectStore(Database& database, const Clock& clock, UuidSource uuid, std::string folder);

  /// Adds a version. @returns kInvalidRequest for an empty bucket or key, kInternalError if it cannot be kept
  ServiceResult<ObjectInfo> put(const std::string& bucket, const std::string& key,
                                std::span<const std::uint8_t> content);
  /// @param version  empty for the latest
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<ObjectInfo> describe(const std::string& bucket, const std::string& key,
                                                   const std::string& version = {});
  /// Reads `into.size()` bytes from `offset`, which must be within the object.
  /// @returns kInternalError if the file is missing or shorter
  [[nodiscard]] ServiceResult<void> read(const ObjectLocation& location, std::int64_t offset,
                                         std::span<std::uint8_t> into);
  [[nodiscard]] ServiceResult<std::vector<std::uint8_t>> read_all(const ObjectLocation& location);

 private:
  [[nodiscard]] std::string path_of(const std::string& version) const;
  [[nodiscard]] ServiceResult<int> open(const std::string& version);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  std::string folder_;
  std::unordered_map<std::string, UniqueFd> open_files_;  ///< by version: blocks are read many times
};

}  // namespace otasim::cloud
