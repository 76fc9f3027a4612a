#include "sim/rest/s3_object_operations.h"

#include <fmt/format.h>

#include <charconv>

#include "sim/base/text.h"
#include "sim/cloud/presigned_url.h"
#include "sim/rest/s3_documents.h"
#include "sim/rest/s3_listings.h"
#include "sim/rest/s3_operations.h"

namespace otasim::rest {

namespace {

using cloud::ObjectChecksum;
using cloud::ObjectInfo;

std::string in_quotes(const std::string& etag) {
  return fmt::format("\"{}\"", etag);
}

void add_checksum(HeaderFields& headers, const ObjectChecksum& checksum) {
  if (checksum.algorithm.empty()) return;
  headers.emplace_back("x-amz-checksum-" + to_lower(checksum.algorithm), checksum.value);
}

std::string checksum_element(const ObjectChecksum& checksum) {
  if (checksum.algorithm.empty()) return {};
  return xml_element(fmt::format("Checksum{}", checksum.algorithm), checksum.value);
}

void add_version(HeaderFields& headers, const ObjectInfo& object, S3Services& services) {
  if (tells_version(object.location, services)) {
    headers.emplace_back("x-amz-version-id", object.location.version);
  }
}

/// The upload a request is about.
cloud::UploadPlace place_of(const S3Request& request) {
  return {request.location.bucket, request.location.key, request.parameter_or_empty("uploadId")};
}

S3Result<int> part_number(const S3Request& request) {
  const auto number = request.number("partNumber", 0, 1, cloud::kMaxPartNumber);
  if (!number) return tl::unexpected(number.error());
  return static_cast<int>(*number);  // 0, which no part has, if it is missing
}

tl::unexpected<S3Error> invalid_copy_source(const std::string& value) {
  return tl::unexpected(S3Error{400,
                                "InvalidArgument",
                                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                                {{"ArgumentName", "x-amz-copy-source"}, {"ArgumentValue", value}}});
}

struct CopySource {
  ObjectInfo object;
  bool names_version = false;
};

/// The object that x-amz-copy-source names (`/bucket/key?versionId=ID`, encoded), if the conditions hold.
S3Result<CopySource> find_copy_source(const S3Request& request, S3Services& services) {
  const std::string value = request.header("x-amz-copy-source");
  const auto target = cloud::parse_request_target(value.starts_with('/') ? value : "/" + value);
  if (!target) return invalid_copy_source(value);
  const cloud::ObjectLocation source = cloud::object_location(*target);
  if (source.bucket.empty() || source.key.empty()) return invalid_copy_source(value);
  auto object = services.objects.find(source.bucket, source.key, source.version);
  if (!object) return tl::unexpected(object.error());
  const cloud::ReadConditions conditions{request.header("x-amz-copy-source-if-match"),
                                         request.header("x-amz-copy-source-if-none-match"),
                                         request.header("x-amz-copy-source-if-modified-since"),
                                         request.header("x-amz-copy-source-if-unmodified-since")};
  if (cloud::check_conditions(conditions, *object) != 0) {
    return tl::unexpected(cloud::s3_error_of_status(412));
  }
  return CopySource{*std::move(object), !source.version.empty()};
}

/// Whether a copy gets headers of its own instead of its source's.
S3Result<bool> replaces_headers(const S3Request& request) {
  const std::string directive = request.header("x-amz-metadata-directive");
  if (directive == "REPLACE") return true;
  if (directive == "COPY" || !request.has_header("x-amz-metadata-directive")) return false;
  return tl::unexpected(
      S3Error{400,
              "InvalidArgument",
              "Unknown metadata directive.",
              {{"ArgumentName", "x-amz-metadata-directive"}, {"ArgumentValue", directive}}});
}

/// The bytes that x-amz-copy-source-range names (`bytes=a-b`, both given), or all.
S3Result<cloud::ByteRange> copied_range(const S3Request& request, const ObjectInfo& source) {
  const std::string value = request.header("x-amz-copy-source-range");
  if (value.empty()) return cloud::ByteRange{0, source.size - 1};
  const auto asked = cloud::parse_range(value);
  const bool is_whole = asked && asked->first && asked->last;
  if (!is_whole || *asked->last >= source.size) {
    return tl::unexpected(
        S3Error{400,
                "InvalidArgument",
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last "
                "are the zero-based offsets of the first and last bytes to copy",
                {{"ArgumentName", "x-amz-copy-source-range"}, {"ArgumentValue", value}}});
  }
  return cloud::ByteRange{*asked->first, *asked->last};
}

/// `If-None-Match: *` or `If-Match: ETAG`; nothing else is there for writes.
S3Result<cloud::WriteConditions> write_conditions(const S3Request& request) {
  cloud::WriteConditions conditions;
  conditions.if_free = request.has_header("if-none-match");
  const bool if_match = request.has_header("if-match");
  if (conditions.if_free && (if_match || request.header("if-none-match") != "*")) {
    return tl::unexpected(not_implemented("If-None-Match"));
  }
  if (!if_match) return conditions;
  const std::string etag = request.header("if-match");
  conditions.if_match = without_quotes(etag);
  const bool is_one = !conditions.if_match.empty() && etag != "*" && etag.find(',') == std::string::npos;
  if (!is_one) return tl::unexpected(not_implemented("If-Match"));
  return conditions;
}

/// Finds out before the body comes that it is too long; the writer keeps the limit in any case.
S3Result<void> check_length(const S3Request& request, const cloud::ObjectStore& objects) {
  std::string text = request.header("x-amz-decoded-content-length");
  if (text.empty()) text = request.header("content-length");
  std::int64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  const std::int64_t allowed = objects.options().max_put_bytes;
  if (length <= allowed) return {};
  return tl::unexpected(S3Error{400,
                                "EntityTooLarge",
                                "Your proposed upload exceeds the maximum allowed size",
                                {{"ProposedSize", text}, {"MaxSizeAllowed", fmt::format("{}", allowed)}}});
}

/// A receiver for whatever has append(), seal(), md5().
template <typename Writer>
S3Receiver receive_content(std::shared_ptr<Writer> writer) {
  S3Receiver receiver;
  // Chunks and their signatures make a body longer than its content; the writer keeps the limit.
  receiver.max_bytes = UINT64_MAX;
  receiver.take = [writer](std::span<const std::uint8_t> piece) { return writer->append(piece); };
  receiver.seal = [writer]() -> S3Result<std::vector<std::uint8_t>> {
    if (auto sealed = writer->seal(); !sealed) return tl::unexpected(sealed.error());
    return writer->md5();
  };
  return receiver;
}

}  // namespace

bool tells_version(const cloud::ObjectLocation& location, S3Services& services) {
  if (location.version != cloud::kNullVersion) return true;
  const auto bucket = services.objects.buckets().describe(location.bucket);
  return bucket && bucket->versioning != cloud::Versioning::kNever;
}

S3Result<S3Receiver> put_object(const S3Request& request, S3Services& services) {
  if (auto fits = check_length(request, services.objects); !fits) return tl::unexpected(fits.error());
  auto conditions = write_conditions(request);
  if (!conditions) return tl::unexpected(conditions.error());
  auto writer = services.objects.begin_put({.bucket = request.location.bucket,
                                            .key = request.location.key,
                                            .headers = request.object_headers(),
                                            .conditions = *std::move(conditions)});
  if (!writer) return tl::unexpected(writer.error());
  const auto shared = std::make_shared<cloud::ObjectWriter>(std::move(*writer));
  S3Receiver receiver = receive_content(shared);
  receiver.finish = [shared, &services](ObjectChecksum checksum) -> S3Result<S3Answer> {
    const auto object = shared->finish(std::move(checksum));
    if (!object) return tl::unexpected(object.error());
    S3Answer answer{200, {{"ETag", in_quotes(object->etag)}}, {}};
    add_version(answer.headers, *object, services);
    add_checksum(answer.headers, object->checksum);
    return answer;
  };
  return receiver;
}

S3Result<S3Answer> copy_object(const S3Request& request, S3Services& services) {
  const auto replaces = replaces_headers(request);
  if (!replaces) return tl::unexpected(replaces.error());
  auto conditions = write_conditions(request);
  if (!conditions) return tl::unexpected(conditions.error());
  const auto found = find_copy_source(request, services);
  if (!found) return tl::unexpected(found.error());
  const ObjectInfo& source = found->object;
  const auto& [bucket, key, version] = request.location;
  if (!*replaces && !found->names_version && source.location.bucket == bucket && source.location.key == key) {
    return tl::unexpected(S3Error{
        400, "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself without changing the "
        "object's metadata, storage class, website redirect location or encryption attributes."});
  }
  const auto copied = services.objects.copy(
      source,
      {.bucket = bucket,
       .key = key,
       .headers = *replaces ? request.object_headers() : source.headers,
       // A checksum of parts is not one of the whole.
       .checksum = source.checksum.value.find('-') == std::string::npos ? source.checksum : ObjectChecksum{},
       .conditions = *std::move(conditions)});
  if (!copied) return tl::unexpected(copied.error());
  S3Answer answer;
  add_version(answer.headers, *copied, services);
  if (tells_version(source.location, services)) {
    answer.headers.emplace_back("x-amz-copy-source-version-id", source.location.version);
  }
  answer.document =
      xml_document("CopyObjectResult", xml_element("LastModified", s3_time(copied->last_modified)) +
                                           xml_element("ETag", in_quotes(copied->etag)) +
                                           checksum_element(copied->checksum));
  return answer;
}

S3Result<S3Answer> delete_object(const S3Request& request, S3Services& services) {
  const auto& [bucket, key, version] = request.location;
  const auto deleted = services.objects.delete_object(bucket, key, version);
  if (!deleted) return tl::unexpected(deleted.error());
  S3Answer answer{204, {}, {}};
  if (deleted->delete_marker) answer.headers.emplace_back("x-amz-delete-marker", "true");
  if (!deleted->version.empty()) answer.headers.emplace_back("x-amz-version-id", deleted->version);
  return answer;
}

S3Result<S3Answer> get_object_tagging(const S3Request& request, S3Services& services) {
  const auto& [bucket, key, version] = request.location;
  const auto object = services.objects.find(bucket, key, version);
  if (!object) return tl::unexpected(object.error());
  S3Answer answer{200, {}, xml_document("Tagging", "<TagSet></TagSet>")};
  add_version(answer.headers, *object, services);
  return answer;
}

S3Result<S3Answer> create_multipart_upload(const S3Request& request, S3Services& services) {
  std::string algorithm = request.header("x-amz-checksum-algorithm");
  const auto kind = cloud::checksum_of_name(algorithm);
  if (!algorithm.empty() && !kind) {
    return tl::unexpected(
        S3Error{400, "InvalidRequest",
                "Checksum algorithm provided is unsupported. Please try again with any of the "
                "valid types: [CRC32, CRC32C, SHA1, SHA256]"});
  }
  if (kind) algorithm = cloud::checksum_name(*kind);
  const auto upload = services.uploads.create({.bucket = request.location.bucket,
                                               .key = request.location.key,
                                               .headers = request.object_headers(),
                                               .checksum = {algorithm, ""}});
  if (!upload) return tl::unexpected(upload.error());
  S3Answer answer;
  if (!algorithm.empty()) answer.headers.emplace_back("x-amz-checksum-algorithm", algorithm);
  answer.document =
      xml_document("InitiateMultipartUploadResult", xml_element("Bucket", upload->place.bucket) +
                                                        xml_element("Key", upload->place.key) +
                                                        xml_element("UploadId", upload->place.id));
  return answer;
}

S3Result<S3Receiver> upload_part(const S3Request& request, S3Services& services) {
  if (auto fits = check_length(request, services.objects); !fits) return tl::unexpected(fits.error());
  const auto number = part_number(request);
  if (!number) return tl::unexpected(number.error());
  auto writer = services.uploads.begin_part(place_of(request), *number);
  if (!writer) return tl::unexpected(writer.error());
  const auto shared = std::make_shared<cloud::PartWriter>(std::move(*writer));
  S3Receiver receiver = receive_content(shared);
  receiver.finish = [shared](ObjectChecksum checksum) -> S3Result<S3Answer> {
    const auto part = shared->finish(std::move(checksum));
    if (!part) return tl::unexpected(part.error());
    S3Answer answer{200, {{"ETag", in_quotes(part->etag)}}, {}};
    add_checksum(answer.headers, part->checksum);
    return answer;
  };
  return receiver;
}

S3Result<S3Answer> upload_part_copy(const S3Request& request, S3Services& services) {
  const auto number = part_number(request);
  if (!number) return tl::unexpected(number.error());
  const auto found = find_copy_source(request, services);
  if (!found) return tl::unexpected(found.error());
  const ObjectInfo& source = found->object;
  const auto range = copied_range(request, source);
  if (!range) return tl::unexpected(range.error());
  const auto part =
      services.uploads.copy_part(place_of(request), *number, source, range->first, range->length());
  if (!part) return tl::unexpected(part.error());
  S3Answer answer;
  if (tells_version(source.location, services)) {
    answer.headers.emplace_back("x-amz-copy-source-version-id", source.location.version);
  }
  answer.document = xml_document("CopyPartResult", xml_element("LastModified", s3_time(part->last_modified)) +
                                                       xml_element("ETag", in_quotes(part->etag)));
  return answer;
}

S3Result<S3Answer> complete_multipart_upload(const S3Request& request, S3Services& services,
                                             const std::string& body) {
  const cloud::UploadPlace place = place_of(request);
  if (const auto upload = services.uploads.describe(place); !upload) return tl::unexpected(upload.error());
  auto conditions = write_conditions(request);
  if (!conditions) return tl::unexpected(conditions.error());
  const auto parts = read_complete_upload(body);
  if (!parts) return tl::unexpected(parts.error());
  const auto object = services.uploads.complete(place, *parts, *std::move(conditions));
  if (!object) return tl::unexpected(object.error());
  S3Answer answer;
  add_version(answer.headers, *object, services);
  answer.document =
      xml_document("CompleteMultipartUploadResult",
                   xml_element("Location", fmt::format("https://{}/{}/{}", request.header("host"),
                                                       place.bucket, cloud::uri_encode(place.key, true))) +
                       xml_element("Bucket", place.bucket) + xml_element("Key", place.key) +
                       xml_element("ETag", in_quotes(object->etag)) + checksum_element(object->checksum));
  return answer;
}

S3Result<S3Answer> abort_multipart_upload(const S3Request& request, S3Services& services) {
  if (auto aborted = services.uploads.abort(place_of(request)); !aborted) {
    return tl::unexpected(aborted.error());
  }
  return S3Answer{204, {}, {}};
}

}  // namespace otasim::rest
