// What a client says about an object and gets back with it: Content-Type and its like, and x-amz-meta-*.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otasim::cloud {

/// Names are lower case; values have no line breaks.
using ObjectHeaders = std::vector<std::pair<std::string, std::string>>;

/// S3's limit for names and values of x-amz-meta-* together.
inline constexpr std::size_t kMaxUserMetadataBytes = 2048;

/// Whether a header of a request, in lower case, is kept with the object.
[[nodiscard]] bool is_object_header(std::string_view name);

/// Bytes that count towards kMaxUserMetadataBytes.
[[nodiscard]] std::size_t user_metadata_bytes(const ObjectHeaders& headers);

/// As lines `name: value`, for the store.
[[nodiscard]] std::string to_lines(const ObjectHeaders& headers);
[[nodiscard]] ObjectHeaders headers_from_lines(std::string_view lines);

}  // namespace otasim::cloud
