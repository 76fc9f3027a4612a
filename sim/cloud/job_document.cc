#include "sim/cloud/job_document.h"

#include <fmt/format.h>

#include "sim/base/json.h"
#include "sim/base/json_nesting.h"
#include "sim/cloud/presigned_url.h"
#include "sim/cloud/uri_encoding.h"

namespace otasim::cloud {

namespace {

constexpr std::string_view kOpening = "${aws:iot:s3-presigned-url:";
constexpr std::string_view kScheme = "https://";

/// The bucket in a virtual-hosted style host name (`bucket.s3.region.amazonaws.com`); empty for path style.
std::string_view bucket_in_host(std::string_view host) {
  for (const std::string_view service : {".s3.", ".s3-"}) {
    const std::size_t at = host.find(service);
    if (at != std::string_view::npos) return host.substr(0, at);
  }
  return {};
}

std::string expand(std::string_view text, const std::function<std::string(const ObjectLocation&)>& url_of) {
  std::string expanded;
  for (;;) {
    const std::size_t start = text.find(kOpening);
    const std::size_t end = start == std::string_view::npos ? start : text.find('}', start);
    if (end == std::string_view::npos) return expanded.append(text);
    const std::string_view url = text.substr(start + kOpening.size(), end - start - kOpening.size());
    const auto object = parse_s3_url(url);
    expanded.append(object ? text.substr(0, start) : text.substr(0, end + 1));
    if (object) expanded += url_of(*object);
    text.remove_prefix(end + 1);
  }
}

}  // namespace

ServiceResult<void> check_job_document(const std::string& document) {
  if (document.size() > kMaxJobDocument) {
    return refuse(
        ErrorCode::kInvalidRequest,
        fmt::format("A job document may have {} characters; this has {}.", kMaxJobDocument, document.size()));
  }
  if (nesting_depth(document) > kMaxNesting) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A job document may be nested {} levels deep.", kMaxNesting));
  }
  if (!nlohmann::json::parse(document, nullptr, /*allow_exceptions=*/false).is_object()) {
    return refuse(ErrorCode::kInvalidRequest, "The job document is not a JSON object.");
  }
  return {};
}

bool has_placeholders(std::string_view document) {
  return document.find(kOpening) != std::string_view::npos;
}

std::string presigned_placeholder(const ObjectLocation& object) {
  std::string text{kOpening};
  text += "https://s3.amazonaws.com/" + uri_encode(object.bucket) + "/" +
          uri_encode(object.key, /*keep_slashes=*/true);
  if (!object.version.empty()) {
    text += "?versionId=" + uri_encode(object.version);
  }
  return text + "}";
}

std::optional<ObjectLocation> parse_s3_url(std::string_view url) {
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  const std::size_t slash = url.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::string_view bucket = bucket_in_host(url.substr(0, slash));
  std::string path_style{url.substr(slash)};
  if (!bucket.empty()) path_style.insert(0, "/" + std::string{bucket});
  const auto target = parse_request_target(path_style);
  if (!target) return std::nullopt;
  auto object = object_location(*target);
  if (object.bucket.empty() || object.key.empty()) return std::nullopt;
  return object;
}

void expand_placeholders(nlohmann::ordered_json& document,
                         const std::function<std::string(const ObjectLocation&)>& url_of) {
  if (document.is_string()) {
    const auto& text = document.get_ref<const std::string&>();
    if (text.find(kOpening) != std::string::npos) document = expand(text, url_of);
  } else if (document.is_structured()) {
    // kMaxNesting bounds the depth: check_job_document().
    for (auto& element : document) expand_placeholders(element, url_of);
  }
}

}  // namespace otasim::cloud
