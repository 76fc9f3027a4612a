#include "sim/cloud/object_reply.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/utc_time.h"

namespace otasim::cloud {

namespace {

tl::unexpected<S3Error> refused(int status, std::string code, std::string message,
                                std::vector<std::pair<std::string, std::string>> details) {
  return tl::unexpected(S3Error{status, std::move(code), std::move(message), std::move(details)});
}

S3Error internal_error() {
  return s3_error_of_status(500);
}

/// S3's word for what is not there.
S3Error missing(const ObjectLocation& location, ObjectStore& objects) {
  const auto& [bucket, key, version] = location;
  const auto page = objects.list({.bucket = bucket, .limit = 1});
  if (!page) return internal_error();
  if (page->objects.empty()) {
    return {404, "NoSuchBucket", "The specified bucket does not exist", {{"BucketName", bucket}}};
  }
  if (!version.empty()) {
    return {404,
            "NoSuchVersion",
            "The specified version does not exist.",
            {{"Key", key}, {"VersionId", version}}};
  }
  return {404, "NoSuchKey", "The specified key does not exist.", {{"Key", key}}};
}

S3Result<ObjectInfo> find_object(const ObjectLocation& location, ObjectStore& objects) {
  if (location.key.empty()) {
    return refused(501, "NotImplemented",
                   "A header you provided implies functionality that is not implemented", {});
  }
  auto object = objects.describe(location.bucket, location.key, location.version);
  if (object) return *std::move(object);
  if (object.error().code != ErrorCode::kResourceNotFound) return tl::unexpected(internal_error());
  return tl::unexpected(missing(location, objects));
}

/// A range for another version of the object is worth nothing to the client: it gets the whole.
bool if_range_holds(const std::string& condition, const ObjectInfo& object) {
  return condition.empty() || condition == fmt::format("\"{}\"", object.etag) ||
         condition == http_date(object.last_modified);
}

S3Error unsatisfiable(const std::string& range, std::int64_t size) {
  return {416,
          "InvalidRange",
          "The requested range is not satisfiable",
          {{"RangeRequested", range}, {"ActualObjectSize", fmt::format("{}", size)}},
          {{"Content-Range", fmt::format("bytes */{}", size)}}};
}

/// Moves a range as far as the object reaches, keeping its length.
ByteRange shifted(const ByteRange& range, std::int64_t by, std::int64_t size) {
  const std::int64_t allowed = std::clamp(by, -range.first, size - 1 - range.last);
  return {range.first + allowed, range.last + allowed};
}

}  // namespace

HeaderFields ObjectReply::headers() const {
  HeaderFields fields{{"Last-Modified", http_date(object.last_modified)},
                      {"ETag", fmt::format("\"{}\"", object.etag)},
                      {"x-amz-version-id", object.location.version},
                      {"Accept-Ranges", "bytes"}};
  if (content_range) fields.emplace_back("Content-Range", cloud::content_range(*content_range, object.size));
  fields.emplace_back("Content-Type", "binary/octet-stream");
  return fields;
}

S3Result<ObjectReply> answer_object_request(const ObjectHttpRequest& request, ObjectStore& objects,
                                            const UrlPresigner& presigner) {
  if (request.method != "GET" && request.method != "HEAD") {
    S3Error error = s3_error_of_status(405);
    error.details = {{"Method", request.method}, {"ResourceType", "OBJECT"}};
    error.headers = {{"Allow", "GET, HEAD"}};
    return tl::unexpected(std::move(error));
  }
  const auto presigned = presigner.verify(request.method, request.target, request.host);
  if (!presigned) return tl::unexpected(presigned.error());
  const auto object = find_object(presigned->object, objects);
  if (!object) return tl::unexpected(object.error());

  ObjectReply reply;
  reply.object = *object;
  reply.presigned_expires_at = presigned->expires_at;
  reply.length = object->size;
  reply.head_only = request.method == "HEAD";
  const auto range = parse_range(request.range);
  if (!range || !if_range_holds(request.if_range, *object)) return reply;
  reply.asked = range->within(object->size);
  if (!reply.asked) return tl::unexpected(unsatisfiable(request.range, object->size));
  reply.content_range = reply.asked;
  reply.first_byte = reply.asked->first;
  reply.length = reply.asked->length();
  return reply;
}

std::optional<BodyCut> body_cut(const ObjectFaults& faults, std::int64_t body_length) {
  std::optional<BodyCut> cut;
  if (faults.truncate_after && *faults.truncate_after < body_length) {
    cut = BodyCut{std::max<std::int64_t>(*faults.truncate_after, 0), false};
  }
  if (faults.reset_after && *faults.reset_after <= (cut ? cut->at : body_length)) {
    cut = BodyCut{*faults.reset_after, true};
  }
  return cut;
}

std::vector<std::string> apply_faults(const ObjectFaults& faults, ObjectReply& reply) {
  std::vector<std::string> names;
  if (faults.delay.count() > 0) names.emplace_back("delay");
  if (faults.status) {
    names.emplace_back("status");
    return names;
  }
  if (reply.asked && faults.ignore_range) {
    names.emplace_back("ignore_range");
    reply.content_range.reset();
    reply.first_byte = 0;
    reply.length = reply.object.size;
  } else if (reply.asked && faults.shift_range != 0) {
    const ByteRange sent = shifted(*reply.asked, faults.shift_range, reply.object.size);
    if (sent != *reply.asked) names.emplace_back("wrong_range");
    reply.first_byte = sent.first;
    if (faults.content_range_tells_shift) reply.content_range = sent;
  }
  const std::int64_t body_length = reply.body_length();
  const auto cut = body_cut(faults, body_length);
  const std::int64_t sent = cut ? std::max<std::int64_t>(cut->at, 0) : body_length;
  const std::int64_t corrupt_at = faults.corrupt_at.value_or(-1);
  if (corrupt_at >= reply.first_byte && corrupt_at < reply.first_byte + sent) names.emplace_back("corrupt");
  if (faults.bytes_per_second > 0 && sent > 0) names.emplace_back("slow");
  if (cut) names.emplace_back(cut->reset ? "reset" : "truncate");
  return names;
}

}  // namespace otasim::cloud
