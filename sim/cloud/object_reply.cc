#include "sim/cloud/object_reply.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/text.h"
#include "sim/cloud/utc_time.h"

namespace otasim::cloud {

namespace {

/// Whether a list of entity tags (or `*`) has this one. Tags are compared as they are: S3 has no weak ones.
bool has_etag(std::string_view list, const std::string& etag) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view tag = trim(list.substr(0, comma));
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
    if (tag == etag) return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
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
  const auto is_overridden = [this](const std::string& name) {
    return std::ranges::find(overrides, name, &HeaderFields::value_type::first) != overrides.end();
  };
  bool has_type = is_overridden("content-type");
  for (const auto& [name, value] : object.headers) {
    has_type = has_type || name == "content-type";
    if (!is_overridden(name)) fields.emplace_back(name, value);
  }
  if (!has_type) fields.emplace_back("Content-Type", "binary/octet-stream");
  fields.insert(fields.end(), overrides.begin(), overrides.end());
  // A checksum is of the whole.
  if (with_checksum && !content_range && !object.checksum.algorithm.empty()) {
    fields.emplace_back("x-amz-checksum-" + to_lower(object.checksum.algorithm), object.checksum.value);
  }
  return fields;
}

int check_conditions(const ReadConditions& conditions, const ObjectInfo& object) {
  constexpr int kNotModified = 304;
  constexpr int kPreconditionFailed = 412;
  if (!conditions.if_match.empty()) {
    if (!has_etag(conditions.if_match, object.etag)) return kPreconditionFailed;
  } else if (const auto since = parse_http_date(conditions.if_unmodified_since)) {
    if (object.last_modified > *since) return kPreconditionFailed;
  }
  if (!conditions.if_none_match.empty()) {
    if (has_etag(conditions.if_none_match, object.etag)) return kNotModified;
  } else if (const auto since = parse_http_date(conditions.if_modified_since)) {
    if (object.last_modified <= *since) return kNotModified;
  }
  return 0;
}

S3Result<ObjectReply> read_object(const ReadRequest& request, ObjectInfo object) {
  if (const int status = check_conditions(request.conditions, object); status != 0) {
    S3Error error = s3_error_of_status(status);
    if (status == 304) error.code = "NotModified";
    error.headers = {{"ETag", fmt::format("\"{}\"", object.etag)},
                     {"Last-Modified", http_date(object.last_modified)}};
    return tl::unexpected(std::move(error));
  }
  ObjectReply reply;
  reply.object = std::move(object);
  reply.length = reply.object.size;
  reply.head_only = request.head_only;
  reply.with_checksum = request.with_checksum;
  reply.overrides = request.overrides;
  const auto range = parse_range(request.range);
  if (!range || !if_range_holds(request.if_range, reply.object)) return reply;
  reply.asked = range->within(reply.object.size);
  if (!reply.asked) return tl::unexpected(unsatisfiable(request.range, reply.object.size));
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
