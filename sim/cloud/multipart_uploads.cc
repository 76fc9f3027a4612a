#include "sim/cloud/multipart_uploads.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sim/cloud/base64.h"
#include "sim/crypto/key.h"

namespace otasim::cloud {

namespace {

S3Error no_such_upload(const std::string& id) {
  return {
      404,
      "NoSuchUpload",
      "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have "
      "been aborted or completed.",
      {{"UploadId", id}}};
}

S3Error invalid_part(const UploadPlace& place, const CompletedPart& part) {
  return {
      400,
      "InvalidPart",
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
      "specified entity tag may not match the part's entity tag.",
      {{"UploadId", place.id}, {"PartNumber", fmt::format("{}", part.number)}, {"ETag", part.etag}}};
}

S3Error too_large(std::int64_t allowed) {
  return {400,
          "EntityTooLarge",
          "Your proposed upload exceeds the maximum allowed size",
          {{"MaxSizeAllowed", fmt::format("{}", allowed)}}};
}

ObjectChecksum checksum_from(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return {};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string to_text(const ObjectChecksum& checksum) {
  return checksum.algorithm.empty() ? "" : fmt::format("{}:{}", checksum.algorithm, checksum.value);
}

UploadInfo read_upload(const std::string& bucket, const Row& row) {
  return {{bucket, row.text(0), row.text(1)}, row.integer(2), headers_from_lines(row.text(3)), row.text(4)};
}

}  // namespace

struct MultipartUploads::KeptPart {
  PartInfo info;
  std::string content;
};

S3Result<void> PartWriter::append(std::span<const std::uint8_t> piece) {
  const std::int64_t allowed = uploads_->objects_.options().max_put_bytes;
  if (static_cast<std::int64_t>(piece.size()) > allowed - size()) return tl::unexpected(too_large(allowed));
  if (const auto added = content_.append(piece); !added) return tl::unexpected(S3Error(added.error()));
  return {};
}

S3Result<void> PartWriter::seal() {
  if (std::exchange(sealed_, true)) return {};
  if (const auto sealed = content_.seal(); !sealed) return tl::unexpected(S3Error(sealed.error()));
  return {};
}

S3Result<PartInfo> PartWriter::finish(ObjectChecksum checksum) {
  if (const auto sealed = seal(); !sealed) return tl::unexpected(sealed.error());
  return uploads_->database_.transaction([&] { return uploads_->keep(place_, number_, content_, checksum); });
}

S3Result<UploadInfo> MultipartUploads::create(const NewObject& object) {
  // Whoever may not put the object may not begin to, either; the file goes with the writer.
  if (const auto allowed = objects_.begin_put(object); !allowed) return tl::unexpected(allowed.error());
  UploadInfo upload{
      {object.bucket, object.key, uuid_()}, clock_.now(), object.headers, object.checksum.algorithm};
  const auto recorded =
      database_.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
                        {upload.place.id, object.bucket, object.key, to_lines(object.headers),
                         upload.checksum_algorithm, upload.initiated_at});
  if (!recorded) return tl::unexpected(S3Error(recorded.error()));
  return upload;
}

S3Result<UploadInfo> MultipartUploads::describe(const UploadPlace& place) {
  if (const auto bucket = objects_.buckets().describe(place.bucket); !bucket) {
    return tl::unexpected(bucket.error());
  }
  std::optional<UploadInfo> upload;
  const auto read = database_.query(
      "SELECT key, upload_id, initiated_at, headers, checksum_algorithm FROM uploads "
      "WHERE upload_id = ? AND bucket = ? AND key = ?",
      {place.id, place.bucket, place.key}, [&](const Row& row) { upload = read_upload(place.bucket, row); });
  if (!read) return tl::unexpected(S3Error(read.error()));
  if (!upload) return tl::unexpected(no_such_upload(place.id));
  return *std::move(upload);
}

S3Result<PartWriter> MultipartUploads::begin_part(const UploadPlace& place, int number) {
  if (number < 1 || number > kMaxPartNumber) {
    return tl::unexpected(
        S3Error{400,
                "InvalidArgument",
                fmt::format("Part number must be an integer between 1 and {}, inclusive", kMaxPartNumber),
                {{"ArgumentName", "partNumber"}, {"ArgumentValue", fmt::format("{}", number)}}});
  }
  if (const auto upload = describe(place); !upload) return tl::unexpected(upload.error());
  auto content = objects_.folder_.begin(uuid_());
  if (!content) return tl::unexpected(S3Error(content.error()));
  return PartWriter(*this, place, number, std::move(*content));
}

S3Result<PartInfo> MultipartUploads::copy_part(const UploadPlace& place, int number, const ObjectInfo& from,
                                               std::int64_t offset, std::int64_t length) {
  const std::int64_t allowed = objects_.options().max_put_bytes;
  if (length > allowed) return tl::unexpected(too_large(allowed));
  const auto source = objects_.folder_.open(from.content);
  if (!source) return tl::unexpected(S3Error(source.error()));
  auto writer = begin_part(place, number);
  if (!writer) return tl::unexpected(writer.error());
  const auto copied = writer->content_.append_file(source->get(), offset, length);
  if (!copied) return tl::unexpected(S3Error(copied.error()));
  return writer->finish();
}

/// As ObjectStore::keep(): the file gets its name within the transaction.
S3Result<PartInfo> MultipartUploads::keep(const UploadPlace& place, int number, ContentWriter& content,
                                          const ObjectChecksum& checksum) {
  if (const auto upload = describe(place); !upload) return tl::unexpected(upload.error());
  const auto taken = objects_.content_exists(content.name());
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) {
    return tl::unexpected(S3Error(
        Error{ExitCode::kInternal, fmt::format("the content '{}' exists already.", content.name()), {}}));
  }
  PartInfo part{number, content.size(), crypto::hex(content.md5()), clock_.now(), checksum};
  const auto replaced = database_.query(
      "DELETE FROM upload_parts WHERE upload_id = ? AND number = ? RETURNING content",
      {place.id, std::int64_t{number}}, [this](const Row& row) { objects_.forget(row.text(0)); });
  if (!replaced) return tl::unexpected(S3Error(replaced.error()));
  if (const auto published = objects_.folder_.publish(content); !published) {
    return tl::unexpected(S3Error(published.error()));
  }
  const auto recorded = database_.execute("INSERT INTO upload_parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                                          {place.id, std::int64_t{number}, content.name(), part.size,
                                           part.etag, to_text(checksum), part.last_modified});
  if (!recorded) {
    objects_.folder_.remove(content.name());
    return tl::unexpected(S3Error(recorded.error()));
  }
  return part;
}

S3Result<std::vector<MultipartUploads::KeptPart>> MultipartUploads::kept_parts(const std::string& upload_id) {
  std::vector<KeptPart> parts;
  const auto read = database_.query(
      "SELECT number, size, etag, last_modified, checksum, content FROM upload_parts "
      "WHERE upload_id = ? ORDER BY number",
      {upload_id}, [&parts](const Row& row) {
        parts.push_back({{static_cast<int>(row.integer(0)), row.integer(1), row.text(2), row.integer(3),
                          checksum_from(row.text(4))},
                         row.text(5)});
      });
  if (!read) return tl::unexpected(S3Error(read.error()));
  return parts;
}

/// The parts the client names, as they are kept.
S3Result<std::vector<MultipartUploads::KeptPart>> MultipartUploads::choose(
    const UploadInfo& upload, const std::vector<CompletedPart>& parts) {
  if (parts.empty()) {
    return tl::unexpected(S3Error{400, "MalformedXML",
                                  "The XML you provided was not well-formed or did not validate against our "
                                  "published schema"});
  }
  const auto not_ascending = [](const CompletedPart& a, const CompletedPart& b) {
    return a.number >= b.number;
  };
  if (std::ranges::adjacent_find(parts, not_ascending) != parts.end()) {
    return tl::unexpected(
        S3Error{400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                {{"UploadId", upload.place.id}}});
  }
  auto kept = kept_parts(upload.place.id);
  if (!kept) return kept;
  std::map<int, KeptPart*> by_number;
  for (KeptPart& part : *kept) by_number.emplace(part.info.number, &part);
  const std::int64_t smallest = objects_.options().min_part_bytes;
  std::vector<KeptPart> chosen;
  for (const CompletedPart& part : parts) {
    const auto found = by_number.find(part.number);
    const bool fits = found != by_number.end() && found->second->info.etag == part.etag &&
                      (part.checksum.empty() || found->second->info.checksum.value == part.checksum);
    if (!fits) return tl::unexpected(invalid_part(upload.place, part));
    chosen.push_back(*found->second);
    if (chosen.size() < parts.size() && chosen.back().info.size < smallest) {
      return tl::unexpected(S3Error{400,
                                    "EntityTooSmall",
                                    "Your proposed upload is smaller than the minimum allowed size",
                                    {{"ProposedSize", fmt::format("{}", chosen.back().info.size)},
                                     {"MinSizeAllowed", fmt::format("{}", smallest)},
                                     {"PartNumber", fmt::format("{}", part.number)},
                                     {"ETag", part.etag}}});
    }
  }
  return chosen;
}

/// One file with all parts.
S3Result<ContentWriter> MultipartUploads::join(const std::vector<KeptPart>& parts) {
  auto whole = objects_.folder_.begin(uuid_());
  if (!whole) return tl::unexpected(S3Error(whole.error()));
  for (const KeptPart& part : parts) {
    const auto file = objects_.folder_.open(part.content);
    if (!file) return tl::unexpected(S3Error(file.error()));
    const auto added = whole->append_file(file->get(), 0, part.info.size);
    if (!added) return tl::unexpected(S3Error(added.error()));
  }
  if (const auto sealed = whole->seal(); !sealed) return tl::unexpected(S3Error(sealed.error()));
  return std::move(*whole);
}

namespace {

std::vector<std::uint8_t> bytes_of_hex(const std::string& text) {
  const auto digit = [](char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

/// S3's checksum of an object in parts: that of its parts' checksums. None, if a part has none.
ObjectChecksum composite_checksum(const std::string& algorithm, const std::vector<ObjectChecksum>& parts) {
  const auto kind = checksum_of_name(algorithm);
  if (!kind) return {};
  Digest digest(*kind);
  for (const ObjectChecksum& part : parts) {
    const auto bytes = base64_decode(part.value);
    if (part.algorithm != algorithm || !bytes) return {};
    digest.update(*bytes);
  }
  return {algorithm, fmt::format("{}-{}", base64_encode(digest.finish()), parts.size())};
}

}  // namespace

S3Result<ObjectInfo> MultipartUploads::complete(const UploadPlace& place,
                                                const std::vector<CompletedPart>& parts,
                                                WriteConditions conditions) {
  const auto upload = describe(place);
  if (!upload) return tl::unexpected(upload.error());
  const auto chosen = choose(*upload, parts);
  if (!chosen) return tl::unexpected(chosen.error());
  NewObject object{place.bucket, place.key, upload->headers, {}, std::move(conditions)};
  // Before the work of joining; keep() has the last word.
  if (const auto holds = objects_.check_conditions(object); !holds) return tl::unexpected(holds.error());
  auto whole = join(*chosen);
  if (!whole) return tl::unexpected(whole.error());
  Digest etag(DigestKind::kMd5);
  std::vector<ObjectChecksum> checksums;
  for (const KeptPart& part : *chosen) {
    etag.update(bytes_of_hex(part.info.etag));
    checksums.push_back(part.info.checksum);
  }
  object.checksum = composite_checksum(upload->checksum_algorithm, checksums);
  return database_.transaction([&]() -> S3Result<ObjectInfo> {
    auto kept =
        objects_.keep(object, *whole, fmt::format("{}-{}", crypto::hex(etag.finish()), chosen->size()));
    if (!kept) return kept;
    if (const auto gone = remove(place.id); !gone) return tl::unexpected(gone.error());
    return kept;
  });
}

S3Result<void> MultipartUploads::abort(const UploadPlace& place) {
  return database_.transaction([&]() -> S3Result<void> {
    if (const auto upload = describe(place); !upload) return tl::unexpected(upload.error());
    return remove(place.id);
  });
}

/// With its parts. Within a transaction.
S3Result<void> MultipartUploads::remove(const std::string& upload_id) {
  const auto parts = kept_parts(upload_id);
  if (!parts) return tl::unexpected(parts.error());
  if (const auto gone = database_.execute("DELETE FROM uploads WHERE upload_id = ?", {upload_id}); !gone) {
    return tl::unexpected(S3Error(gone.error()));
  }
  for (const KeptPart& part : *parts) objects_.forget(part.content);
  return {};
}

S3Result<PartPage> MultipartUploads::list_parts(const UploadPlace& place, int after, std::int64_t limit) {
  if (const auto upload = describe(place); !upload) return tl::unexpected(upload.error());
  const auto all = kept_parts(place.id);
  if (!all) return tl::unexpected(all.error());
  PartPage page;
  for (const KeptPart& part : *all) {
    if (part.info.number <= after) continue;
    if (static_cast<std::int64_t>(page.parts.size()) == limit) {
      page.next = page.parts.empty() ? after : page.parts.back().number;
      break;
    }
    page.parts.push_back(part.info);
  }
  return page;
}

S3Result<UploadPage> MultipartUploads::list(const ListUploadsRequest& request) {
  if (const auto bucket = objects_.buckets().describe(request.bucket); !bucket) {
    return tl::unexpected(bucket.error());
  }
  UploadPage page;
  // A prefix is compared byte for byte: LIKE would fold case.
  const auto read = database_.query(
      "SELECT key, upload_id, initiated_at, headers, checksum_algorithm FROM uploads "
      "WHERE bucket = ?1 AND key >= ?2 AND substr(CAST(key AS BLOB), 1, ?3) = CAST(?2 AS BLOB) "
      "AND (key > ?4 OR (key = ?4 AND ?5 <> '' AND upload_id > ?5)) ORDER BY key, upload_id LIMIT ?6",
      {request.bucket, request.prefix, static_cast<std::int64_t>(request.prefix.size()), request.key_marker,
       request.upload_id_marker, request.limit + 1},
      [&](const Row& row) { page.uploads.push_back(read_upload(request.bucket, row)); });
  if (!read) return tl::unexpected(S3Error(read.error()));
  page.is_truncated = static_cast<std::int64_t>(page.uploads.size()) > request.limit;
  if (page.is_truncated) page.uploads.pop_back();
  return page;
}

}  // namespace otasim::cloud
