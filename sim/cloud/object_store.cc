#include "sim/cloud/object_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unordered_set>

#include "sim/base/file_io.h"
#include "sim/crypto/key.h"

namespace otasim::cloud {

namespace {

/// Updates under way at once are few; more only costs opening a file again.
constexpr std::size_t kMaxOpenFiles = 64;
constexpr std::size_t kUuidLength = 36;
/// What write_file_atomic() adds to the name of a file that is not complete.
constexpr std::size_t kTemporarySuffixLength = 7;

std::string md5_hex(std::span<const std::uint8_t> data) {
  crypto::Bytes digest(16);
  unsigned int length = 0;
  EVP_Digest(data.data(), data.size(), digest.data(), &length, EVP_md5(), nullptr);
  return crypto::hex(digest);
}

/// Names that a put gives: a UUID, or one with the suffix of a file that is not complete. Other files in the
/// folder are not ours to remove.
bool is_content_name(const std::string& name) {
  if (name.size() != kUuidLength && name.size() != kUuidLength + kTemporarySuffixLength) return false;
  for (std::size_t i = 0; i < kUuidLength; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? name[i] != '-' : std::isxdigit(static_cast<unsigned char>(name[i])) == 0) return false;
  }
  return name.size() == kUuidLength || name[kUuidLength] == '.';
}

/// The first string that is behind all that begin with `prefix`; nothing if none is.
std::optional<std::string> behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

bool read_content(int fd, std::int64_t offset, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd, into.data(), into.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
  return true;
}

ObjectStore::ObjectStore(Database& database, const Clock& clock, UuidSource uuid, std::string folder)
    : database_(database), clock_(clock), uuid_(std::move(uuid)), folder_(std::move(folder)) {
  remove_orphans();
}

std::string ObjectStore::path_of(const std::string& version) const {
  return folder_ + "/" + version;
}

/// Within a transaction, as puts are: a file that another process has written but not named yet is safe,
/// because that process holds the store's write lock. Whatever fails, the files stay until the next opening.
void ObjectStore::remove_orphans() {
  static_cast<void>(database_.transaction([this]() -> Result<void> {
    std::unordered_set<std::string> named;
    auto read = database_.query("SELECT version_id FROM objects", {},
                                [&named](const Row& row) { named.insert(row.text(0)); });
    if (!read) return read;
    std::error_code error;
    std::vector<std::filesystem::path> orphans;
    for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
         at.increment(error)) {
      const std::string name = at->path().filename().string();
      if (is_content_name(name) && !named.contains(name)) orphans.push_back(at->path());
    }
    for (const auto& path : orphans) std::filesystem::remove(path, error);
    return {};
  }));
}

ServiceResult<ObjectInfo> ObjectStore::put(const std::string& bucket, const std::string& key,
                                           std::span<const std::uint8_t> content) {
  if (bucket.empty() || key.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "An object needs a bucket and a key.");
  }
  if (bucket.find('/') != std::string::npos) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("A bucket's name has no slash: '{}'.", bucket));
  }
  if (key.size() > kMaxObjectKeyBytes) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("The key has {} bytes; {} are allowed.", key.size(), kMaxObjectKeyBytes));
  }
  const ObjectInfo info{
      {bucket, key, uuid_()}, static_cast<std::int64_t>(content.size()), md5_hex(content), clock_.now()};
  if (const auto kept = database_.transaction([&] { return keep(info, content); }); !kept) {
    return tl::unexpected(kept.error());
  }
  return info;
}

/// The file comes first. It is written within the transaction, so that no other process takes it for an
/// orphan.
ServiceResult<void> ObjectStore::keep(const ObjectInfo& info, std::span<const std::uint8_t> content) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    return refuse(ErrorCode::kInternalError, fmt::format("cannot make '{}': {}.", folder_, error.message()));
  }
  const auto& [bucket, key, version] = info.location;
  const auto taken = version_exists(version);
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) {
    return refuse(ErrorCode::kInternalError, fmt::format("the version '{}' exists already.", version));
  }
  const std::string path = path_of(version);
  if (const auto written = write_file_atomic(path, content); !written) {
    return tl::unexpected(ServiceError(written.error()));
  }
  const auto recorded = database_.execute(
      "INSERT INTO objects(bucket, key, version_id, sequence, size, etag, created_at) "
      "VALUES (?1, ?2, ?3, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM objects WHERE bucket = ?1 AND key = "
      "?2),"
      " ?4, ?5, ?6)",
      {bucket, key, version, info.size, info.etag, info.last_modified});
  if (!recorded) {
    std::filesystem::remove(path, error);
    return tl::unexpected(ServiceError(recorded.error()));
  }
  return {};
}

/// Files have no bucket and key in their names: a source of names that repeats itself must not change another
/// object's bytes.
ServiceResult<bool> ObjectStore::version_exists(const std::string& version) {
  bool found = false;
  const auto read = database_.query("SELECT 1 FROM objects WHERE version_id = ? LIMIT 1", {version},
                                    [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return found;
}

ServiceResult<void> ObjectStore::remove(const ObjectLocation& location) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto& [bucket, key, version] = location;
    bool found = false;
    const auto removed =
        database_.query("DELETE FROM objects WHERE bucket = ? AND key = ? AND version_id = ? RETURNING 1",
                        {bucket, key, version}, [&found](const Row&) { found = true; });
    if (!removed) return tl::unexpected(ServiceError(removed.error()));
    if (!found) {
      return refuse(ErrorCode::kResourceNotFound,
                    fmt::format("Object {}/{} {} does not exist.", bucket, key, version));
    }
    database_.after_commit([this, forgotten = version] {
      open_files_.erase(forgotten);
      std::error_code error;  // what cannot be removed now is an orphan for the next opening
      std::filesystem::remove(path_of(forgotten), error);
    });
    return {};
  });
}

ServiceResult<ObjectInfo> ObjectStore::describe(const std::string& bucket, const std::string& key,
                                                const std::string& version) {
  std::optional<ObjectInfo> info;
  const auto read = database_.query(
      "SELECT version_id, size, etag, created_at FROM objects "
      "WHERE bucket = ?1 AND key = ?2 AND (?3 = '' OR version_id = ?3) ORDER BY sequence DESC LIMIT 1",
      {bucket, key, version}, [&](const Row& row) {
        info = ObjectInfo{{bucket, key, row.text(0)}, row.integer(1), row.text(2), row.integer(3)};
      });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!info) {
    return refuse(ErrorCode::kResourceNotFound,
                  fmt::format("Object {}/{} {} does not exist.", bucket, key, version));
  }
  return *info;
}

ServiceResult<ObjectPage> ObjectStore::list(const ListObjectsRequest& request) {
  const std::optional<std::string> end = behind_prefix(request.prefix);
  const ObjectPosition after = request.after.value_or(ObjectPosition{});
  ObjectPage page;
  ObjectPosition last;
  const auto read = database_.query(
      "SELECT key, version_id, size, etag, created_at, sequence FROM objects AS o "
      "WHERE bucket = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) "
      "AND (key > ?4 OR (key = ?4 AND sequence < ?5)) "
      "AND (?6 OR NOT EXISTS (SELECT 1 FROM objects AS n "
      "WHERE n.bucket = o.bucket AND n.key = o.key AND n.sequence > o.sequence)) "
      "ORDER BY key, sequence DESC LIMIT ?7",
      {request.bucket, request.prefix, end ? Value(*end) : Value(nullptr), after.key, after.sequence,
       std::int64_t{request.all_versions}, request.limit + 1},
      [&](const Row& row) {
        // One more than asked for, which only tells that there is more.
        if (static_cast<std::int64_t>(page.objects.size()) == request.limit) {
          page.next = last;
          return;
        }
        page.objects.push_back(
            {{request.bucket, row.text(0), row.text(1)}, row.integer(2), row.text(3), row.integer(4)});
        // Among latest versions a key that gets a new one between two pages is not listed twice.
        last = {row.text(0), request.all_versions ? row.integer(5) : 0};
      });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  return page;
}

ServiceResult<UniqueFd> ObjectStore::open_content(const ObjectLocation& location) {
  UniqueFd file;
  // A version that came from outside must not lead out of the folder.
  if (!location.version.empty() && location.version.find('/') == std::string::npos) {
    file.reset(::open(path_of(location.version).c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (file) return file;
  const int why = errno;
  // Removed, or damaged?
  const auto info = describe(location.bucket, location.key, location.version);
  if (!info) return tl::unexpected(info.error());
  return refuse(ErrorCode::kInternalError, fmt::format("cannot read the object '{}': {}.",
                                                       path_of(location.version), std::strerror(why)));
}

ServiceResult<int> ObjectStore::open(const ObjectLocation& location) {
  const auto known = open_files_.find(location.version);
  if (known != open_files_.end()) return known->second.get();
  auto file = open_content(location);
  if (!file) return tl::unexpected(file.error());
  if (open_files_.size() >= kMaxOpenFiles) open_files_.clear();
  const int descriptor = file->get();
  open_files_.emplace(location.version, std::move(*file));
  return descriptor;
}

ServiceResult<void> ObjectStore::read(const ObjectLocation& location, std::int64_t offset,
                                      std::span<std::uint8_t> into) {
  const auto file = open(location);
  if (!file) return tl::unexpected(file.error());
  if (!read_content(*file, offset, into)) {
    return refuse(ErrorCode::kInternalError,
                  fmt::format("the object '{}' is shorter than it was.", path_of(location.version)));
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
