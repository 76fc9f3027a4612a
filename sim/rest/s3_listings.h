// Listings of a bucket: its objects, their versions, uploads that are under way.
//
// Where a page of objects ends is told as S3 tells it: by the last key or common prefix (ListObjects,
// ListObjectVersions), or by a token that is opaque to clients (ListObjectsV2). The marker of a version is a
// number of the lab's; the id of a version is taken, too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/rest/s3_request.h"

namespace otasim::rest {

[[nodiscard]] S3Result<S3Answer> list_objects(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> list_objects_v2(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> list_object_versions(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> list_multipart_uploads(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> list_parts(const S3Request& request, S3Services& services);

/// `2013-05-24T00:00:00.000Z`
[[nodiscard]] std::string s3_time(std::int64_t epoch_seconds);
/// The lab's owner, as the content of an element of this name.
[[nodiscard]] std::string owner_element(std::string_view name);

}  // namespace otasim::rest
