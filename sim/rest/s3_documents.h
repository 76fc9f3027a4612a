// The XML documents that clients send to S3, read.
//
// Whatever comes is read or refused as MalformedXML; names are taken without their namespace, unknown
// elements are passed over, and lists are limited.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/buckets.h"
#include "sim/cloud/multipart_uploads.h"
#include "sim/cloud/s3_error.h"

namespace otasim::rest {

/// S3's limit for one DeleteObjects.
inline constexpr std::size_t kMaxDeletedAtOnce = 1000;

struct DeleteRequest {
  struct Entry {
    std::string key;
    std::string version;  ///< empty for none
  };
  std::vector<Entry> entries;
  bool quiet = false;  ///< only errors are told
};

[[nodiscard]] cloud::S3Result<DeleteRequest> read_delete_request(const std::string& document);
/// @returns kEnabled or kSuspended
[[nodiscard]] cloud::S3Result<cloud::Versioning> read_versioning(const std::string& document);
/// @returns the location constraint; empty for none
[[nodiscard]] cloud::S3Result<std::string> read_create_bucket(const std::string& document);
[[nodiscard]] cloud::S3Result<std::vector<cloud::CompletedPart>> read_complete_upload(
    const std::string& document);

/// What S3's documents begin with.
inline constexpr std::string_view kXmlDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `<NAME>TEXT</NAME>`, escaped.
[[nodiscard]] std::string xml_element(std::string_view name, std::string_view text);
/// A document of S3's namespace. @param content  elements
[[nodiscard]] std::string xml_document(std::string_view name, std::string_view content);

/// An ETag as the store has it: clients give it with and without its quotes.
[[nodiscard]] std::string without_quotes(std::string text);

}  // namespace otasim::rest
