// Operations on one object, and on uploads in parts; reading one is object_handler.h's.
#pragma once

#include <string>

#include "sim/rest/s3_request.h"

namespace otasim::rest {

[[nodiscard]] S3Result<S3Receiver> put_object(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> copy_object(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> delete_object(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> get_object_tagging(const S3Request& request, S3Services& services);

[[nodiscard]] S3Result<S3Answer> create_multipart_upload(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Receiver> upload_part(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> upload_part_copy(const S3Request& request, S3Services& services);
[[nodiscard]] S3Result<S3Answer> complete_multipart_upload(const S3Request& request, S3Services& services,
                                                           const std::string& body);
[[nodiscard]] S3Result<S3Answer> abort_multipart_upload(const S3Request& request, S3Services& services);

/// Whether answers tell a version: not in a bucket that never had any.
[[nodiscard]] bool tells_version(const cloud::ObjectLocation& location, S3Services& services);

}  // namespace otasim::rest
