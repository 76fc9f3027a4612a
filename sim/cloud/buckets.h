// Buckets: names, and whether what is put into them gets versions.
//
//   buckets.create("firmware");
//   buckets.set_versioning("firmware", Versioning::kEnabled);
//   buckets.remove("firmware");                                  // once it is empty
//
// The rules for names are those of S3's general purpose buckets. The lab's own buckets are made by its first
// put() and may be called anything that a path can carry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/content_folder.h"
#include "sim/cloud/database.h"
#include "sim/cloud/s3_error.h"

namespace otasim::cloud {

enum class Versioning {
  kNever,      ///< an object is replaced by the next of its key
  kEnabled,    ///< each put makes a version of its own
  kSuspended,  ///< versions stay, new objects are null versions
};
/// `Never`, `Enabled`, `Suspended`
[[nodiscard]] std::string_view to_string(Versioning versioning);

struct BucketInfo {
  std::string name;
  Versioning versioning = Versioning::kNever;
  std::int64_t created_at = 0;  ///< epoch seconds
};

/// Whether S3 takes the name for a new bucket.
[[nodiscard]] bool is_bucket_name(std::string_view name);

class Buckets {
 public:
  /// @param folder  where parts of uploads are
  Buckets(Database& database, const Clock& clock, const ContentFolder& folder)
      : database_(database), clock_(clock), folder_(folder) {}

  /// @returns 400 InvalidBucketName, 409 BucketAlreadyOwnedByYou
  S3Result<void> create(const std::string& name);
  /// Makes the bucket, versioned, unless it is there. @returns 500 InternalError
  S3Result<void> ensure(const std::string& name);
  /// @returns 404 NoSuchBucket
  [[nodiscard]] S3Result<BucketInfo> describe(const std::string& name);
  /// In order of their names.
  [[nodiscard]] S3Result<std::vector<BucketInfo>> list();
  /// Not for kNever: a bucket that once had versions keeps them. @returns 404 NoSuchBucket
  S3Result<void> set_versioning(const std::string& name, Versioning versioning);
  /// Takes uploads that are under way along. @returns 404 NoSuchBucket, 409 BucketNotEmpty while there is an
  /// object, a version or a delete marker in it
  S3Result<void> remove(const std::string& name);

 private:
  Database& database_;
  const Clock& clock_;
  const ContentFolder& folder_;
};

}  // namespace otasim::cloud
