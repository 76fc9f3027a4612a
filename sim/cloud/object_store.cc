#include "sim/cloud/object_store.h"

#include <fmt/format.h>

#include <utility>

#include "sim/crypto/key.h"

namespace otasim::cloud {

namespace {

/// Updates under way at once are few; more only costs opening a file again.
constexpr std::size_t kMaxOpenFiles = 64;

// The columns that read_object() takes, in its order.
#define OTASIM_SELECT_OBJECT \
  "SELECT key, version_id, size, etag, created_at, content, sequence, headers, checksum FROM objects "

ObjectInfo read_object(const std::string& bucket, const Row& row) {
  ObjectInfo info{{bucket, row.text(0), row.text(1)}, row.integer(2), row.text(3), row.integer(4)};
  info.content = row.text(5);
  info.sequence = row.integer(6);
  info.headers = headers_from_lines(row.text(7));
  const std::string checksum = row.text(8);
  if (const auto colon = checksum.find(':'); colon != std::string::npos) {
    info.checksum = {checksum.substr(0, colon), checksum.substr(colon + 1)};
  }
  return info;
}

S3Result<void> check_key(const std::string& key) {
  if (key.empty()) return tl::unexpected(S3Error{400, "InvalidRequest", "An object needs a key."});
  if (key.size() > kMaxObjectKeyBytes) {
    return tl::unexpected(S3Error{400,
                                  "KeyTooLongError",
                                  "Your key is too long",
                                  {{"Size", fmt::format("{}", key.size())},
                                   {"MaxSizeAllowed", fmt::format("{}", kMaxObjectKeyBytes)}}});
  }
  return {};
}

S3Result<void> check_object(const NewObject& object) {
  if (auto valid = check_key(object.key); !valid) return valid;
  if (const std::size_t bytes = user_metadata_bytes(object.headers); bytes > kMaxUserMetadataBytes) {
    return tl::unexpected(S3Error{
        400,
        "MetadataTooLarge",
        "Your metadata headers exceed the maximum allowed metadata size",
        {{"Size", fmt::format("{}", bytes)}, {"MaxSizeAllowed", fmt::format("{}", kMaxUserMetadataBytes)}}});
  }
  return {};
}

S3Error failed_condition(std::string name) {
  S3Error error = s3_error_of_status(412);
  error.details = {{"Condition", std::move(name)}};
  return error;
}

S3Error no_such_key(const std::string& key) {
  return {404, "NoSuchKey", "The specified key does not exist.", {{"Key", key}}};
}

S3Error marked_as_deleted(S3Error error, const std::string& version) {
  error.headers.emplace_back("x-amz-delete-marker", "true");
  error.headers.emplace_back("x-amz-version-id", version);
  return error;
}

}  // namespace

S3Result<void> ObjectWriter::append(std::span<const std::uint8_t> piece) {
  const std::int64_t allowed = store_->options_.max_put_bytes;
  if (static_cast<std::int64_t>(piece.size()) > allowed - size()) {
    return tl::unexpected(S3Error{400,
                                  "EntityTooLarge",
                                  "Your proposed upload exceeds the maximum allowed size",
                                  {{"MaxSizeAllowed", fmt::format("{}", allowed)}}});
  }
  if (const auto added = content_.append(piece); !added) return tl::unexpected(S3Error(added.error()));
  return {};
}

S3Result<void> ObjectWriter::seal() {
  if (std::exchange(sealed_, true)) return {};
  if (const auto sealed = content_.seal(); !sealed) return tl::unexpected(S3Error(sealed.error()));
  return {};
}

S3Result<ObjectInfo> ObjectWriter::finish(ObjectChecksum checksum) {
  if (const auto sealed = seal(); !sealed) return tl::unexpected(sealed.error());
  object_.checksum = std::move(checksum);
  return store_->database_.transaction([this] { return store_->keep(object_, content_); });
}

ObjectStore::ObjectStore(Database& database, const Clock& clock, UuidSource uuid, std::string folder,
                         ObjectStoreOptions options)
    : database_(database),
      clock_(clock),
      uuid_(std::move(uuid)),
      folder_(std::move(folder)),
      options_(options),
      buckets_(database, clock, folder_) {
  remove_orphans();
}

/// Whatever fails, the files stay until the next opening.
void ObjectStore::remove_orphans() {
  static_cast<void>(database_.transaction([this]() -> Result<void> {
    std::unordered_set<std::string> named;
    auto read = database_.query("SELECT content FROM objects UNION ALL SELECT content FROM upload_parts", {},
                                [&named](const Row& row) { named.insert(row.text(0)); });
    if (!read) return read;
    folder_.remove_orphans(named);
    return {};
  }));
}

void ObjectStore::forget(const std::string& content) {
  if (content.empty()) return;
  database_.after_commit([this, content] {
    open_files_.erase(content);
    folder_.remove(content);  // what cannot be removed now is an orphan for the next opening
  });
}

ServiceResult<ObjectInfo> ObjectStore::put(const std::string& bucket, const std::string& key,
                                           std::span<const std::uint8_t> content) {
  if (bucket.empty() || bucket.find('/') != std::string::npos) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("A bucket has a name, without a slash: '{}'.", bucket));
  }
  const auto done = database_.transaction([&]() -> S3Result<ObjectInfo> {
    auto writer = begin({.bucket = bucket, .key = key});
    if (!writer) return tl::unexpected(writer.error());
    if (auto added = writer->append(content); !added) return tl::unexpected(added.error());
    if (auto ready = buckets_.ensure(bucket); !ready) return tl::unexpected(ready.error());
    return writer->finish();
  });
  if (!done) return tl::unexpected(done.error().to_service_error());
  return *done;
}

S3Result<ObjectWriter> ObjectStore::begin_put(NewObject object) {
  if (const auto bucket = buckets_.describe(object.bucket); !bucket) return tl::unexpected(bucket.error());
  // What cannot hold now is told before the content comes; keep() has the last word.
  if (const auto holds = check_conditions(object); !holds) return tl::unexpected(holds.error());
  return begin(std::move(object));
}

S3Result<ObjectWriter> ObjectStore::begin(NewObject object) {
  if (const auto valid = check_object(object); !valid) return tl::unexpected(valid.error());
  auto content = folder_.begin(uuid_());
  if (!content) return tl::unexpected(S3Error(content.error()));
  return ObjectWriter(*this, std::move(object), std::move(*content));
}

S3Result<void> ObjectStore::check_conditions(const NewObject& object) {
  const auto& [if_free, if_match] = object.conditions;
  if (!if_free && if_match.empty()) return {};
  const auto latest = look_up({object.bucket, object.key, ""});
  if (!latest) return tl::unexpected(latest.error());
  const bool is_there = *latest && !(*latest)->is_delete_marker();
  if (if_free && is_there) return tl::unexpected(failed_condition("If-None-Match"));
  if (if_match.empty()) return {};
  if (!is_there) return tl::unexpected(no_such_key(object.key));
  if ((*latest)->etag != if_match) return tl::unexpected(failed_condition("If-Match"));
  return {};
}

S3Result<ObjectInfo> ObjectStore::copy(const ObjectInfo& from, NewObject to) {
  if (from.size > options_.max_put_bytes) {
    return tl::unexpected(S3Error{
        400, "InvalidRequest",
        fmt::format(
            "The specified copy source is larger than the maximum allowable size for a copy source: {}",
            options_.max_put_bytes)});
  }
  const auto source = folder_.open(from.content);
  if (!source) return tl::unexpected(S3Error(source.error()));
  const ObjectChecksum checksum = to.checksum;
  auto writer = begin_put(std::move(to));
  if (!writer) return tl::unexpected(writer.error());
  const auto copied = writer->content_.append_file(source->get(), 0, from.size);
  if (!copied) return tl::unexpected(S3Error(copied.error()));
  return writer->finish(checksum);
}

/// The file gets its name first. All of it is within the transaction, so that no other process takes the file
/// for an orphan.
S3Result<ObjectInfo> ObjectStore::keep(const NewObject& object, ContentWriter& content,
                                       const std::string& etag) {
  const auto bucket = buckets_.describe(object.bucket);
  if (!bucket) return tl::unexpected(bucket.error());
  if (const auto holds = check_conditions(object); !holds) return tl::unexpected(holds.error());
  const auto taken = content_exists(content.name());
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) {
    return tl::unexpected(S3Error(
        Error{ExitCode::kInternal, fmt::format("the version '{}' exists already.", content.name()), {}}));
  }
  const bool versioned = bucket->versioning == Versioning::kEnabled;
  ObjectInfo info{{object.bucket, object.key, versioned ? content.name() : kNullVersion},
                  content.size(),
                  etag.empty() ? crypto::hex(content.md5()) : etag,
                  clock_.now()};
  info.content = content.name();
  info.headers = object.headers;
  info.checksum = object.checksum;
  if (!versioned) {
    if (const auto replaced = take_out(info.location); !replaced) return tl::unexpected(replaced.error());
  }
  if (const auto published = folder_.publish(content); !published) {
    return tl::unexpected(S3Error(published.error()));
  }
  if (const auto recorded = record(info); !recorded) {
    folder_.remove(content.name());
    return tl::unexpected(recorded.error());
  }
  return info;
}

S3Result<void> ObjectStore::record(const ObjectInfo& info) {
  const auto& [bucket, key, version] = info.location;
  const std::string checksum = info.checksum.algorithm.empty()
                                   ? ""
                                   : fmt::format("{}:{}", info.checksum.algorithm, info.checksum.value);
  const auto recorded = database_.execute(
      "INSERT INTO objects(bucket, key, version_id, sequence, size, etag, created_at, content, headers, "
      "checksum) VALUES (?1, ?2, ?3, "
      "(SELECT COALESCE(MAX(sequence), 0) + 1 FROM objects WHERE bucket = ?1 AND key = ?2), "
      "?4, ?5, ?6, ?7, ?8, ?9)",
      {bucket, key, version, info.size, info.etag, info.last_modified, info.content, to_lines(info.headers),
       checksum});
  if (!recorded) return tl::unexpected(S3Error(recorded.error()));
  return {};
}

/// Files have no bucket and key in their names: a source of names that repeats itself must not change another
/// object's bytes.
S3Result<bool> ObjectStore::content_exists(const std::string& content) {
  bool found = false;
  const auto read = database_.query(
      "SELECT 1 FROM objects WHERE content = ?1 UNION ALL SELECT 1 FROM upload_parts WHERE content = ?1",
      {content}, [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(S3Error(read.error()));
  return found;
}

/// Removes one version, if it is there.
S3Result<std::optional<ObjectInfo>> ObjectStore::take_out(const ObjectLocation& location) {
  auto object = look_up(location);
  if (!object || !*object) return object;
  const auto& [bucket, key, version] = location;
  const auto removed = database_.execute(
      "DELETE FROM objects WHERE bucket = ? AND key = ? AND version_id = ?", {bucket, key, version});
  if (!removed) return tl::unexpected(S3Error(removed.error()));
  forget((*object)->content);
  return object;
}

ServiceResult<void> ObjectStore::remove(const ObjectLocation& location) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto& [bucket, key, version] = location;
    const auto removed =
        version.empty() ? S3Result<std::optional<ObjectInfo>>(std::nullopt) : take_out(location);
    if (!removed) return tl::unexpected(removed.error().to_service_error());
    if (!*removed) {
      return refuse(ErrorCode::kResourceNotFound,
                    fmt::format("Object {}/{} {} does not exist.", bucket, key, version));
    }
    return {};
  });
}

S3Result<Deleted> ObjectStore::delete_object(const std::string& bucket, const std::string& key,
                                             const std::string& version) {
  if (const auto valid = check_key(key); !valid) return tl::unexpected(valid.error());
  return database_.transaction([&]() -> S3Result<Deleted> {
    const auto in = buckets_.describe(bucket);
    if (!in) return tl::unexpected(in.error());
    const bool for_good = !version.empty() || in->versioning == Versioning::kNever;
    if (for_good || in->versioning == Versioning::kSuspended) {
      const auto removed = take_out({bucket, key, version.empty() ? kNullVersion : version});
      if (!removed) return tl::unexpected(removed.error());
      if (for_good) return Deleted{version, *removed && (*removed)->is_delete_marker()};
    }
    ObjectInfo marker{
        {bucket, key, in->versioning == Versioning::kEnabled ? uuid_() : kNullVersion}, 0, "", clock_.now()};
    if (const auto recorded = record(marker); !recorded) return tl::unexpected(recorded.error());
    return Deleted{marker.location.version, true};
  });
}

S3Result<std::optional<ObjectInfo>> ObjectStore::look_up(const ObjectLocation& location) {
  const auto& [bucket, key, version] = location;
  std::optional<ObjectInfo> info;
  const Database::RowHandler keep_row = [&](const Row& row) { info = read_object(bucket, row); };
  const auto read =
      version.empty()
          ? database_.query(OTASIM_SELECT_OBJECT
                            "WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1",
                            {bucket, key}, keep_row)
          : database_.query(OTASIM_SELECT_OBJECT "WHERE bucket = ? AND key = ? AND version_id = ?",
                            {bucket, key, version}, keep_row);
  if (!read) return tl::unexpected(S3Error(read.error()));
  return info;
}

#undef OTASIM_SELECT_OBJECT

ServiceResult<ObjectInfo> ObjectStore::describe(const std::string& bucket, const std::string& key,
                                                const std::string& version) {
  auto info = look_up({bucket, key, version});
  if (!info) return tl::unexpected(info.error().to_service_error());
  if (!*info || (*info)->is_delete_marker()) {
    return refuse(ErrorCode::kResourceNotFound,
                  fmt::format("Object {}/{} {} does not exist.", bucket, key, version));
  }
  return **std::move(info);
}

S3Result<ObjectInfo> ObjectStore::find(const std::string& bucket, const std::string& key,
                                       const std::string& version) {
  auto info = look_up({bucket, key, version});
  if (!info) return tl::unexpected(info.error());
  if (*info && !(*info)->is_delete_marker()) return **std::move(info);
  if (const auto in = buckets_.describe(bucket); !in) return tl::unexpected(in.error());
  if (!*info && !version.empty()) {
    return tl::unexpected(S3Error{404,
                                  "NoSuchVersion",
                                  "The specified version does not exist.",
                                  {{"Key", key}, {"VersionId", version}}});
  }
  if (!*info) return tl::unexpected(no_such_key(key));
  const std::string marker = (*info)->location.version;
  if (version.empty()) return tl::unexpected(marked_as_deleted(no_such_key(key), marker));
  S3Error not_allowed = s3_error_of_status(405);
  not_allowed.details = {{"Method", "GET"}, {"ResourceType", "DeleteMarker"}};
  not_allowed.headers = {{"Allow", "DELETE"}};
  return tl::unexpected(marked_as_deleted(std::move(not_allowed), marker));
}

/// A version that is no null version has the name of its file.
ServiceResult<std::string> ObjectStore::content_of(const ObjectLocation& location) {
  if (location.version != kNullVersion) return location.version;
  const auto info = describe(location.bucket, location.key, location.version);
  if (!info) return tl::unexpected(info.error());
  return info->content;
}

ServiceResult<UniqueFd> ObjectStore::open_content(const ObjectLocation& location) {
  const auto content = content_of(location);
  if (!content) return tl::unexpected(content.error());
  auto file = folder_.open(*content);
  if (file) return std::move(*file);
  // Removed, or damaged?
  const auto info = describe(location.bucket, location.key, location.version);
  if (!info) return tl::unexpected(info.error());
  return tl::unexpected(ServiceError(file.error()));
}

ServiceResult<int> ObjectStore::open(const ObjectLocation& location) {
  const auto content = content_of(location);
  if (!content) return tl::unexpected(content.error());
  const auto known = open_files_.find(*content);
  if (known != open_files_.end()) return known->second.get();
  auto file = open_content(location);
  if (!file) return tl::unexpected(file.error());
  if (open_files_.size() >= kMaxOpenFiles) open_files_.clear();
  const int descriptor = file->get();
  open_files_.emplace(*content, std::move(*file));
  return descriptor;
}

ServiceResult<void> ObjectStore::read(const ObjectLocation& location, std::int64_t offset,
                                      std::span<std::uint8_t> into) {
  const auto file = open(location);
  if (!file) return tl::unexpected(file.error());
  if (!read_content(*file, offset, into)) {
    return refuse(ErrorCode::kInternalError, fmt::format("the object {}/{} {} is shorter than it was.",
                                                         location.bucket, location.key, location.version));
  }
  return {};
}

ServiceResult<std::vector<std::uint8_t>> ObjectStore::read_all(const ObjectLocation& location) {
  const auto info = describe(location.bucket, location.key, location.version);
  if (!info) return tl::unexpected(info.error());
  std::vector<std::uint8_t> content(static_cast<std::size_t>(info->size));
  if (const auto done = read(info->location, 0, content); !done) return tl::unexpected(done.error());
  return content;
}

}  // namespace otasim::cloud
