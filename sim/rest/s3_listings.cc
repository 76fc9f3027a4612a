#include "sim/rest/s3_listings.h"

#include <fmt/format.h>

#include <charconv>

#include "sim/cloud/base64.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"
#include "sim/rest/s3_documents.h"

namespace otasim::rest {

namespace {

using cloud::ListObjectsRequest;
using cloud::ObjectInfo;
using cloud::ObjectPage;
using cloud::ObjectPosition;

constexpr std::int64_t kMaxPage = 1000;
constexpr std::int64_t kLargest = 2'147'483'647;
constexpr const char* kOwnerId = "7a5c1e0d7a5c1e0d7a5c1e0d7a5c1e0d7a5c1e0d7a5c1e0d7a5c1e0d7a5c1e0d";
/// What a token's position is of.
constexpr char kKeyMark = 'k';
constexpr char kPrefixMark = 'p';

/// What all listings of objects are asked with.
struct Listing {
  ListObjectsRequest request;
  std::int64_t max_keys = kMaxPage;  ///< as asked, up to S3's limit
  bool url_encoded = false;

  [[nodiscard]] std::string text(const std::string& key) const {
    return url_encoded ? cloud::uri_encode(key, true) : key;
  }
};

S3Result<Listing> read_listing(const S3Request& request, S3Services& services) {
  const auto bucket = services.objects.buckets().describe(request.location.bucket);
  if (!bucket) return tl::unexpected(bucket.error());
  Listing listing;
  listing.request.bucket = bucket->name;
  listing.request.prefix = request.parameter_or_empty("prefix");
  listing.request.delimiter = request.parameter_or_empty("delimiter");
  const auto max_keys = request.number("max-keys", kMaxPage, 0, kLargest);
  if (!max_keys) return tl::unexpected(max_keys.error());
  listing.max_keys = std::min(*max_keys, kMaxPage);
  listing.request.limit = std::max<std::int64_t>(listing.max_keys, 1);
  const std::string encoding = request.parameter_or_empty("encoding-type");
  if (!encoding.empty() && encoding != "url") {
    return tl::unexpected(S3Error{400,
                                  "InvalidArgument",
                                  "Invalid Encoding Method specified in Request",
                                  {{"ArgumentName", "encoding-type"}, {"ArgumentValue", encoding}}});
  }
  listing.url_encoded = encoding == "url";
  return listing;
}

/// A place that a client names by a key. One that is a whole common prefix has been listed as such.
ObjectPosition position_of(const std::string& marker, const ListObjectsRequest& request) {
  const bool is_prefix =
      !request.delimiter.empty() && marker.starts_with(request.prefix) &&
      marker.size() > request.prefix.size() && marker.ends_with(request.delimiter) &&
      marker.find(request.delimiter, request.prefix.size()) == marker.size() - request.delimiter.size();
  return {marker, 0, is_prefix};
}

S3Result<ObjectPage> read_page(const Listing& listing, S3Services& services) {
  if (listing.max_keys == 0) return ObjectPage{};
  auto page = services.objects.list(listing.request);
  if (!page) return tl::unexpected(S3Error(Error{ExitCode::kEnvironment, page.error().message, {}}));
  return std::move(*page);
}

std::string object_element(const Listing& listing, const ObjectInfo& object, bool with_owner) {
  return fmt::format(
      "<Contents>{}{}{}{}{}<StorageClass>STANDARD</StorageClass>{}</Contents>",
      xml_element("Key", listing.text(object.location.key)),
      xml_element("LastModified", s3_time(object.last_modified)),
      xml_element("ETag", fmt::format("\"{}\"", object.etag)),
      object.checksum.algorithm.empty() ? "" : xml_element("ChecksumAlgorithm", object.checksum.algorithm),
      fmt::format("<Size>{}</Size>", object.size), with_owner ? owner_element("Owner") : "");
}

std::string version_element(const Listing& listing, const ObjectInfo& object) {
  const std::string common =
      fmt::format("{}{}<IsLatest>{}</IsLatest>{}", xml_element("Key", listing.text(object.location.key)),
                  xml_element("VersionId", object.location.version), object.latest ? "true" : "false",
                  xml_element("LastModified", s3_time(object.last_modified)));
  if (object.is_delete_marker()) {
    return fmt::format("<DeleteMarker>{}{}</DeleteMarker>", common, owner_element("Owner"));
  }
  return fmt::format("<Version>{}{}<Size>{}</Size><StorageClass>STANDARD</StorageClass>{}</Version>", common,
                     xml_element("ETag", fmt::format("\"{}\"", object.etag)), object.size,
                     owner_element("Owner"));
}

std::string common_prefixes(const Listing& listing, const ObjectPage& page) {
  std::string all;
  for (const std::string& prefix : page.common_prefixes) {
    all += fmt::format("<CommonPrefixes>{}</CommonPrefixes>", xml_element("Prefix", listing.text(prefix)));
  }
  return all;
}

/// The elements that say what was asked.
std::string asked(const S3Request& request, const Listing& listing, bool is_truncated) {
  std::string all = xml_element("Name", listing.request.bucket) +
                    xml_element("Prefix", listing.text(listing.request.prefix)) +
                    fmt::format("<MaxKeys>{}</MaxKeys><IsTruncated>{}</IsTruncated>", listing.max_keys,
                                is_truncated ? "true" : "false");
  if (request.has("delimiter")) all += xml_element("Delimiter", listing.text(listing.request.delimiter));
  if (listing.url_encoded) all += xml_element("EncodingType", "url");
  return all;
}

std::string token_of(const ObjectPosition& position) {
  const std::string text = (position.is_common_prefix ? kPrefixMark : kKeyMark) + position.key;
  return cloud::base64_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

S3Result<ObjectPosition> position_of_token(const std::string& token) {
  const auto bytes = cloud::base64_decode(token);
  if (!bytes || bytes->empty() || (bytes->front() != kKeyMark && bytes->front() != kPrefixMark)) {
    return tl::unexpected(S3Error{400,
                                  "InvalidArgument",
                                  "The continuation token provided is incorrect",
                                  {{"ArgumentName", "continuation-token"}}});
  }
  return ObjectPosition{std::string(bytes->begin() + 1, bytes->end()), 0, bytes->front() == kPrefixMark};
}

}  // namespace

std::string s3_time(std::int64_t epoch_seconds) {
  std::string text = cloud::iso8601(epoch_seconds);
  text.pop_back();
  return text + ".000Z";
}

std::string owner_element(std::string_view name) {
  return fmt::format("<{0}><ID>{1}</ID><DisplayName>otasim</DisplayName></{0}>", name, kOwnerId);
}

S3Result<S3Answer> list_objects(const S3Request& request, S3Services& services) {
  auto listing = read_listing(request, services);
  if (!listing) return tl::unexpected(listing.error());
  const std::string marker = request.parameter_or_empty("marker");
  if (!marker.empty()) listing->request.after = position_of(marker, listing->request);
  const auto page = read_page(*listing, services);
  if (!page) return tl::unexpected(page.error());
  std::string content = asked(request, *listing, page->next.has_value());
  content += xml_element("Marker", listing->text(marker));
  if (page->next) content += xml_element("NextMarker", listing->text(page->next->key));
  for (const ObjectInfo& object : page->objects) content += object_element(*listing, object, true);
  content += common_prefixes(*listing, *page);
  return S3Answer{200, {}, xml_document("ListBucketResult", content)};
}

S3Result<S3Answer> list_objects_v2(const S3Request& request, S3Services& services) {
  auto listing = read_listing(request, services);
  if (!listing) return tl::unexpected(listing.error());
  const std::string start_after = request.parameter_or_empty("start-after");
  const auto token = request.parameter("continuation-token");
  if (token) {
    const auto position = position_of_token(*token);
    if (!position) return tl::unexpected(position.error());
    listing->request.after = *position;
  } else if (!start_after.empty()) {
    listing->request.after = position_of(start_after, listing->request);
  }
  const auto page = read_page(*listing, services);
  if (!page) return tl::unexpected(page.error());
  std::string content = asked(request, *listing, page->next.has_value());
  content += fmt::format("<KeyCount>{}</KeyCount>", page->objects.size() + page->common_prefixes.size());
  if (token) content += xml_element("ContinuationToken", *token);
  if (page->next) content += xml_element("NextContinuationToken", token_of(*page->next));
  if (!start_after.empty()) content += xml_element("StartAfter", listing->text(start_after));
  const bool with_owner = request.parameter_or_empty("fetch-owner") == "true";
  for (const ObjectInfo& object : page->objects) content += object_element(*listing, object, with_owner);
  content += common_prefixes(*listing, *page);
  return S3Answer{200, {}, xml_document("ListBucketResult", content)};
}

S3Result<S3Answer> list_object_versions(const S3Request& request, S3Services& services) {
  auto listing = read_listing(request, services);
  if (!listing) return tl::unexpected(listing.error());
  listing->request.all_versions = true;
  const std::string key_marker = request.parameter_or_empty("key-marker");
  const std::string version_marker = request.parameter_or_empty("version-id-marker");
  if (key_marker.empty() && !version_marker.empty()) {
    return tl::unexpected(
        S3Error{400,
                "InvalidArgument",
                "A version-id marker cannot be specified without a key marker.",
                {{"ArgumentName", "version-id-marker"}, {"ArgumentValue", version_marker}}});
  }
  if (!key_marker.empty()) {
    ObjectPosition position = position_of(key_marker, listing->request);
    if (!version_marker.empty()) {
      const auto [end, error] = std::from_chars(
          version_marker.data(), version_marker.data() + version_marker.size(), position.sequence);
      if (error != std::errc{} || end != version_marker.data() + version_marker.size()) {
        const auto version = services.objects.find(listing->request.bucket, key_marker, version_marker);
        if (!version) {
          return tl::unexpected(
              S3Error{400,
                      "InvalidArgument",
                      "Invalid version id specified",
                      {{"ArgumentName", "version-id-marker"}, {"ArgumentValue", version_marker}}});
        }
        position.sequence = version->sequence;
      }
    }
    listing->request.after = std::move(position);
  }
  const auto page = read_page(*listing, services);
  if (!page) return tl::unexpected(page.error());
  std::string content = asked(request, *listing, page->next.has_value());
  content +=
      xml_element("KeyMarker", listing->text(key_marker)) + xml_element("VersionIdMarker", version_marker);
  if (page->next) {
    content += xml_element("NextKeyMarker", listing->text(page->next->key));
    if (!page->next->is_common_prefix) {
      content += xml_element("NextVersionIdMarker", fmt::format("{}", page->next->sequence));
    }
  }
  for (const ObjectInfo& object : page->objects) content += version_element(*listing, object);
  content += common_prefixes(*listing, *page);
  return S3Answer{200, {}, xml_document("ListVersionsResult", content)};
}

S3Result<S3Answer> list_multipart_uploads(const S3Request& request, S3Services& services) {
  if (request.has("delimiter")) {
    S3Error error = cloud::s3_error_of_status(501);
    error.details = {{"Header", "delimiter"}};
    return tl::unexpected(std::move(error));
  }
  const auto max_uploads = request.number("max-uploads", kMaxPage, 1, kLargest);
  if (!max_uploads) return tl::unexpected(max_uploads.error());
  const bool url_encoded = request.parameter_or_empty("encoding-type") == "url";
  const auto text = [url_encoded](const std::string& key) {
    return url_encoded ? cloud::uri_encode(key, true) : key;
  };
  cloud::ListUploadsRequest wanted{.bucket = request.location.bucket,
                                   .prefix = request.parameter_or_empty("prefix"),
                                   .key_marker = request.parameter_or_empty("key-marker"),
                                   .upload_id_marker = request.parameter_or_empty("upload-id-marker"),
                                   .limit = std::min(*max_uploads, kMaxPage)};
  const auto page = services.uploads.list(wanted);
  if (!page) return tl::unexpected(page.error());
  std::string content =
      xml_element("Bucket", wanted.bucket) + xml_element("KeyMarker", text(wanted.key_marker)) +
      xml_element("UploadIdMarker", wanted.upload_id_marker) + xml_element("Prefix", text(wanted.prefix)) +
      fmt::format("<MaxUploads>{}</MaxUploads><IsTruncated>{}</IsTruncated>", wanted.limit,
                  page->is_truncated ? "true" : "false");
  if (url_encoded) content += xml_element("EncodingType", "url");
  if (page->is_truncated) {
    const auto& last = page->uploads.back().place;
    content += xml_element("NextKeyMarker", text(last.key)) + xml_element("NextUploadIdMarker", last.id);
  }
  for (const auto& upload : page->uploads) {
    content += fmt::format("<Upload>{}{}{}{}<StorageClass>STANDARD</StorageClass>{}</Upload>",
                           xml_element("Key", text(upload.place.key)),
                           xml_element("UploadId", upload.place.id), owner_element("Initiator"),
                           owner_element("Owner"), xml_element("Initiated", s3_time(upload.initiated_at)));
  }
  return S3Answer{200, {}, xml_document("ListMultipartUploadsResult", content)};
}

S3Result<S3Answer> list_parts(const S3Request& request, S3Services& services) {
  const auto& [bucket, key, version] = request.location;
  const auto max_parts = request.number("max-parts", kMaxPage, 1, kLargest);
  if (!max_parts) return tl::unexpected(max_parts.error());
  const auto after = request.number("part-number-marker", 0, 0, kLargest);
  if (!after) return tl::unexpected(after.error());
  const cloud::UploadPlace place{bucket, key, request.parameter_or_empty("uploadId")};
  const std::int64_t limit = std::min(*max_parts, kMaxPage);
  const auto page = services.uploads.list_parts(place, static_cast<int>(*after), limit);
  if (!page) return tl::unexpected(page.error());
  std::string content = xml_element("Bucket", bucket) + xml_element("Key", key) +
                        xml_element("UploadId", place.id) + owner_element("Initiator") +
                        owner_element("Owner") +
                        fmt::format(
                            "<StorageClass>STANDARD</StorageClass><PartNumberMarker>{}</PartNumberMarker>"
                            "<MaxParts>{}</MaxParts><IsTruncated>{}</IsTruncated>",
                            *after, limit, page->next != 0 ? "true" : "false");
  if (page->next != 0) content += fmt::format("<NextPartNumberMarker>{}</NextPartNumberMarker>", page->next);
  for (const auto& part : page->parts) {
    content += fmt::format(
        "<Part><PartNumber>{}</PartNumber>{}{}<Size>{}</Size>{}</Part>", part.number,
        xml_element("LastModified", s3_time(part.last_modified)),
        xml_element("ETag", fmt::format("\"{}\"", part.etag)), part.size,
        part.checksum.algorithm.empty()
            ? ""
            : xml_element(fmt::format("Checksum{}", part.checksum.algorithm), part.checksum.value));
  }
  return S3Answer{200, {}, xml_document("ListPartsResult", content)};
}

}  // namespace otasim::rest
