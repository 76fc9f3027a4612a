// Operations on buckets, and on many objects of one.
#pragma once

#include <string>

#include "sim/rest/s3_request.h"

namespace otasim::rest {

[[nodiscard]] S3Result<S3Answer> list_buckets(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> create_bucket(const S3Request& request, S3Services& services,
                                               const std::string& body);
[[nodiscard]] S3Result<S3Answer> head_bucket(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> delete_bucket(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> get_bucket_location(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> get_bucket_versioning(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> put_bucket_versioning(const S3Request& request, S3Services& services,
                                                       const std::string& body);
[[nodiscard]] S3Result<S3Answer> delete_objects(const S3Request& request, S3Services& services,
                                                const std::string& body);

}  // namespace otasim::rest
