#include "sim/cloud/object_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/crypto/key.h"

namespace otasim::cloud {

namespace {

/// Updates under way at once are few; more only costs opening a file again.
constexpr std::size_t kMaxOpenFiles = 64;

}  // namespace

ObjectStore::ObjectStore(Database& database, const Clock& clock, UuidSource uuid, std::string folder)
    : database_(database), clock_(clock), uuid_(std::move(uuid)), folder_(std::move(folder)) {}

std::string ObjectStore::path_of(const std::string& version) const {
  return folder_ + "/" + version;
}

ServiceResult<ObjectInfo> ObjectStore::put(const std::string& bucket, const std::string& key,
                                           std::span<const std::uint8_t> content) {
  if (bucket.empty() || key.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "An object needs a bucket and a key.");
  }
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    return refuse(ErrorCode::kInternalError, fmt::format("cannot make '{}': {}.", folder_, error.message()));
  }
  ObjectInfo info{{bucket, key, uuid_()},
                  static_cast<std::int64_t>(content.size()),
                  crypto::hex(crypto::sha256(content))};
  if (const auto written = write_file_atomic(path_of(info.location.version), content); !written) {
    return tl::unexpected(ServiceError(written.error()));
  }
  const auto recorded = database_.execute(
      "INSERT INTO objects(bucket, key, version_id, sequence, size, etag, created_at) "
      "VALUES (?1, ?2, ?3, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM objects WHERE bucket = ?1 AND key = "
      "?2),"
      " ?4, ?5, ?6)",
      {bucket, key, info.location.version, info.size, info.etag, clock_.now()});
  if (!recorded) {
    std::filesystem::remove(path_of(info.location.version), error);
    return tl::unexpected(ServiceError(recorded.error()));
  }
  return info;
}

ServiceResult<ObjectInfo> ObjectStore::describe(const std::string& bucket, const std::string& key,
                                                const std::string& version) {
  std::optional<ObjectInfo> info;
  const auto read = database_.query(
      "SELECT version_id, size, etag FROM objects WHERE bucket = ?1 AND key = ?2 AND (?3 = '' OR version_id "
      "= ?3) "
      "ORDER BY sequence DESC LIMIT 1",
      {bucket, key, version}, [&](const Row& row) {
        info = ObjectInfo{{bucket, key, row.text(0)}, row.integer(1), row.text(2)};
      });
  if (!read) return tl::unexpected(ServiceError(read.error()));
  if (!info) {
    return refuse(ErrorCode::kResourceNotFound,
                  fmt::format("Object {}/{} {} does not exist.", bucket, key, version));
  }
  return *info;
}

ServiceResult<int> ObjectStore::open(const std::string& version) {
  const auto known = open_files_.find(version);
  if (known != open_files_.end()) return known->second.get();
  UniqueFd file(::open(path_of(version).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return refuse(ErrorCode::kInternalError,
                  fmt::format("cannot read the object '{}': {}.", path_of(version), std::strerror(errno)));
  }
  if (open_files_.size() >= kMaxOpenFiles) open_files_.clear();
  const int descriptor = file.get();
  open_files_.emplace(version, std::move(file));
  return descriptor;
}

ServiceResult<void> ObjectStore::read(const ObjectLocation& location, std::int64_t offset,
                                      std::span<std::uint8_t> into) {
  const auto file = open(location.version);
  if (!file) return tl::unexpected(file.error());
  while (!into.empty()) {
    const ssize_t got = ::pread(*file, into.data(), into.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return refuse(ErrorCode::kInternalError,
                    fmt::format("the object '{}' is shorter than it was.", path_of(location.version)));
    }
    into = into.subspan(static_cast<std::size_t>(got));
    offset += got;
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
