// Placeholders for presigned URLs in job documents: `${aws:iot:s3-presigned-url:https://s3.../bucket/key}`.
//
// A document is kept with its placeholders. Each time a device is given it, every placeholder becomes a URL
// that has not been used before and expires on its own. A text that only looks like a placeholder stays as it
// is.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sim/cloud/object_store.h"

namespace otasim::cloud {

/// Makes a URL under which whoever has it may read the object.
using UrlSource = std::function<std::string(const ObjectLocation& object, std::int64_t expires_in_sec)>;

inline constexpr std::size_t kMaxJobDocument = 32'768;

/// @returns kInvalidRequest for what is no JSON object, too long, or nested deeper than kMaxNesting
[[nodiscard]] ServiceResult<void> check_job_document(const std::string& document);

/// Whether expand_placeholders() may find any.
[[nodiscard]] bool has_placeholders(std::string_view document);

/// The placeholder that stands for an object; a version is named if the location names one.
[[nodiscard]] std::string presigned_placeholder(const ObjectLocation& object);

/// Reads an S3 URL as placeholders hold it: path style or virtual-hosted style, with or without `versionId`.
/// @returns nothing if it names no object
[[nodiscard]] std::optional<ObjectLocation> parse_s3_url(std::string_view url);

/// Replaces the placeholders in all of a document's texts by what `url_of` gives for their objects.
void expand_placeholders(nlohmann::ordered_json& document,
                         const std::function<std::string(const ObjectLocation&)>& url_of);

}  // namespace otasim::cloud
