// Versioned objects, as a versioned S3 bucket holds them.
//
//   auto object = objects.put("firmware", "app.bin", bytes);        // a version of its own, now the latest
//   objects.describe("firmware", "app.bin");                        // the latest
//   objects.read(object->location, offset, into);                   // some bytes, again and again
//   objects.list({.bucket = "firmware", .prefix = "releases/"});    // page by page
//
// An object's bytes are one file in the lab's folder, named by its version and never changed; the store knows
// the rest. The file is complete and on the disk before the store names it, and the store forgets it before
// the file goes, so an object that can be found can be read. The process may be killed at any instant: what
// it leaves behind is at most a file that the store does not name, and opening the store removes those.
//
// A bucket is there as long as something is in it.
#pragma once

#include <cstdint>
#include <optional>
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

/// S3's longest key.
inline constexpr std::size_t kMaxObjectKeyBytes = 1024;

struct ObjectLocation {
  std::string bucket;
  std::string key;
  std::string version;
};

struct ObjectInfo {
  ObjectLocation location;
  std::int64_t size = 0;
  std::string etag;  ///< MD5 of the content, lower-case hex, without the quotes it has on the wire
  std::int64_t last_modified = 0;  ///< epoch seconds
};

/// A place in a listing, which goes on behind it.
struct ObjectPosition {
  std::string key;
  std::int64_t sequence = 0;  ///< of a version of `key`; 0 is behind all of them
};

struct ListObjectsRequest {
  std::string bucket;
  std::string prefix = {};                   ///< of the keys to list
  std::optional<ObjectPosition> after = {};  ///< ObjectPage::next of the page before
  bool all_versions = false;                 ///< false: each key's latest only
  std::int64_t limit = 1000;                 ///< objects in a page, at least 1
};

struct ObjectPage {
  std::vector<ObjectInfo> objects;     ///< by key, byte for byte; versions of a key newest first
  std::optional<ObjectPosition> next;  ///< where the next page begins; nothing on the last one
};

class ObjectStore {
 public:
  /// Removes what puts that were killed have left in the folder.
  /// @param folder  where the content goes; made by the first put if it is missing
  ObjectStore(Database& database, const Clock& clock, UuidSource uuid, std::string folder);

  /// Adds a version.
  /// @returns kInvalidRequest  the bucket is empty or has a slash, or the key is empty or too long
  ///          kInternalError   the object cannot be kept
  ServiceResult<ObjectInfo> put(const std::string& bucket, const std::string& key,
                                std::span<const std::uint8_t> content);
  /// Removes a version for good. Who has it open (open_content()) can still read it.
  /// @returns kResourceNotFound, kInternalError
  ServiceResult<void> remove(const ObjectLocation& location);

  /// @param version  empty for the latest
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<ObjectInfo> describe(const std::string& bucket, const std::string& key,
                                                   const std::string& version = {});
  /// @returns kInternalError; a bucket that does not exist is an empty page
  [[nodiscard]] ServiceResult<ObjectPage> list(const ListObjectsRequest& request);

  /// Reads `into.size()` bytes from `offset`, which must be within the object.
  /// @returns kResourceNotFound  the object was removed
  ///          kInternalError     the file is missing or shorter
  [[nodiscard]] ServiceResult<void> read(const ObjectLocation& location, std::int64_t offset,
                                         std::span<std::uint8_t> into);
  [[nodiscard]] ServiceResult<std::vector<std::uint8_t>> read_all(const ObjectLocation& location);
  /// The content as a file of the caller's own, for transfers that take their time. @returns as read()
  [[nodiscard]] ServiceResult<UniqueFd> open_content(const ObjectLocation& location);

 private:
  [[nodiscard]] std::string path_of(const std::string& version) const;
  [[nodiscard]] ServiceResult<bool> version_exists(const std::string& version);
  [[nodiscard]] ServiceResult<void> keep(const ObjectInfo& info, std::span<const std::uint8_t> content);
  [[nodiscard]] ServiceResult<int> open(const ObjectLocation& location);
  void remove_orphans();

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  std::string folder_;
  std::unordered_map<std::string, UniqueFd> open_files_;  ///< by version: blocks are read many times
};

/// Reads `into.size()` bytes of an object's file from `offset`. @returns false if it ends before or fails
[[nodiscard]] bool read_content(int fd, std::int64_t offset, std::span<std::uint8_t> into);

}  // namespace otasim::cloud
