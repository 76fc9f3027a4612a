#include "sim/cloud/streams_service.h"

#include <fmt/format.h>

#include <algorithm>

namespace otasim::cloud {

namespace {

constexpr std::int64_t kMaxFileId = 255;

bool within(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

ServiceResult<void> check_limits(const GetStreamRequest& request) {
  if (!within(request.block_size, kMinBlockSize, kMaxBlockSize)) {
    return refuse(ErrorCode::kBlockSizeOutOfBounds,
                  fmt::format("The block size must be {} to {} bytes.", kMinBlockSize, kMaxBlockSize));
  }
  if (!within(request.offset, 0, kMaxBlockNumber)) {
    return refuse(ErrorCode::kOffsetOutOfBounds, fmt::format("The offset must be 0 to {}.", kMaxBlockNumber));
  }
  if (request.block_count && !within(*request.block_count, 0, kMaxBlockNumber)) {
    return refuse(ErrorCode::kBlockCountLimitExceeded,
                  fmt::format("The number of blocks must be 0 to {}.", kMaxBlockNumber));
  }
  if (request.bitmap && request.bitmap->size() >= kBitmapLimit) {
    return refuse(ErrorCode::kBlockBitmapLimitExceeded,
                  fmt::format("The bitmap must be shorter than {} bytes.", kBitmapLimit));
  }
  return {};
}

bool wanted(const GetStreamRequest& request, std::int64_t relative) {
  if (!request.bitmap) return true;
  const auto byte = static_cast<std::size_t>(relative / 8);
  return ((*request.bitmap)[byte] >> (relative % 8) & 1) != 0;
}

/// The blocks to serve, ascending: those wanted that exist, up to the count and the volume of a request.
std::vector<std::int64_t> choose_blocks(const GetStreamRequest& request, std::int64_t file_size) {
  const std::int64_t most_by_volume = kMaxBytesPerRequest / request.block_size;
  const std::int64_t most = std::min(request.block_count.value_or(most_by_volume), most_by_volume);
  const std::int64_t blocks = (file_size + request.block_size - 1) / request.block_size;
  std::int64_t span = blocks - request.offset;
  if (request.bitmap) span = std::min(span, static_cast<std::int64_t>(request.bitmap->size()) * 8);
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < span && static_cast<std::int64_t>(chosen.size()) < most; ++i) {
    if (wanted(request, i)) chosen.push_back(request.offset + i);
  }
  return chosen;
}

}  // namespace

ServiceResult<void> StreamsService::create(const CreateStreamRequest& request) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const std::int64_t now = clock_.now();
    bool added = false;
    const auto stored = database_.query(
        "INSERT OR IGNORE INTO streams(stream_id, version, description, created_at, last_updated_at, "
        "role_arn) VALUES (?1, 1, ?2, ?3, ?3, ?4) RETURNING stream_id",
        {request.id.str(), request.description, now, request.role_arn},
        [&added](const Row&) { added = true; });
    if (!stored) return tl::unexpected(stored.error());
    if (!added) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Stream {} exists already.", request.id.str()));
    }
    return store_files(request.id, request.files);
  });
}

ServiceResult<void> StreamsService::update(const UpdateStreamRequest& request) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto stream = describe(request.id);
    if (!stream) return tl::unexpected(stream.error());
    const auto saved = database_.execute(
        "UPDATE streams SET version = version + 1, description = ?, last_updated_at = ?, role_arn = ? "
        "WHERE stream_id = ?",
        {request.description.value_or(stream->description), clock_.now(),
         request.role_arn.value_or(stream->role_arn), request.id.str()});
    if (!saved) return tl::unexpected(saved.error());
    if (!request.files) return {};
    const auto cleared =
        database_.execute("DELETE FROM stream_files WHERE stream_id = ?", {request.id.str()});
    if (!cleared) return tl::unexpected(cleared.error());
    return store_files(request.id, *request.files);
  });
}

ServiceResult<void> StreamsService::store_files(const StreamId& id, const std::vector<StreamFile>& files) {
  if (files.empty()) return refuse(ErrorCode::kInvalidRequest, "A stream needs a file.");
  if (files.size() > kMaxStreamFiles) {
    return refuse(ErrorCode::kInvalidRequest, fmt::format("A stream may have {} files.", kMaxStreamFiles));
  }
  for (const StreamFile& file : files) {
    if (!within(file.file_id, 0, kMaxFileId)) {
      return refuse(ErrorCode::kInvalidRequest, fmt::format("A file id must be 0 to {}.", kMaxFileId));
    }
    const auto object = objects_.describe(file.object.bucket, file.object.key, file.object.version);
    if (!object) return tl::unexpected(object.error());
    bool added = false;
    const auto stored = database_.query(
        "INSERT OR IGNORE INTO stream_files(stream_id, file_id, bucket, key, version_id, etag) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING file_id",
        {id.str(), file.file_id, file.object.bucket, file.object.key, file.object.version, object->etag},
        [&added](const Row&) { added = true; });
    if (!stored) return tl::unexpected(stored.error());
    if (!added) {
      return refuse(ErrorCode::kInvalidRequest, fmt::format("The file id {} stands twice.", file.file_id));
    }
  }
  return {};
}

ServiceResult<void> StreamsService::remove(const StreamId& id) {
  return database_.transaction([&]() -> ServiceResult<void> {
    if (const auto known = describe(id); !known) return tl::unexpected(known.error());
    bool used = false;
    const auto read = database_.query("SELECT 1 FROM ota_updates WHERE stream_id = ? LIMIT 1", {id.str()},
                                      [&used](const Row&) { used = true; });
    if (!read) return tl::unexpected(read.error());
    if (used) {
      return refuse(ErrorCode::kDeleteConflict, fmt::format("An OTA update uses stream {}.", id.str()));
    }
    const auto removed = database_.execute("DELETE FROM streams WHERE stream_id = ?", {id.str()});
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

ServiceResult<StreamInfo> StreamsService::describe(const StreamId& id) {
  std::optional<StreamInfo> stream;
  const auto read = database_.query(
      "SELECT s.version, s.description, s.created_at, s.last_updated_at, f.file_id, f.bucket, f.key, "
      "f.version_id, s.role_arn FROM streams s LEFT JOIN stream_files f USING (stream_id) "
      "WHERE s.stream_id = ? ORDER BY f.file_id",
      {id.str()}, [&](const Row& row) {
        if (!stream) {
          stream =
              StreamInfo{id, row.integer(0), row.text(1), row.integer(2), row.integer(3), {}, row.text(8)};
        }
        if (const auto file = row.optional_integer(4)) {
          stream->files.push_back({*file, {row.text(5), row.text(6), row.text(7)}});
        }
      });
  if (!read) return tl::unexpected(read.error());
  if (!stream)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Stream {} does not exist.", id.str()));
  for (StreamFileInfo& file : stream->files) {
    const auto object = objects_.describe(file.object.bucket, file.object.key, file.object.version);
    if (object) file.size = object->size;
  }
  return *stream;
}

ServiceResult<Page<StreamInfo>> StreamsService::list(const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  std::vector<StreamInfo> all;
  const auto read = database_.query(
      "SELECT stream_id, version, description, created_at, last_updated_at FROM streams "
      "WHERE stream_id > ? ORDER BY stream_id LIMIT ?",
      {start->after, start->limit}, [&all](const Row& row) {
        all.push_back(
            {StreamId::trusted(row.text(0)), row.integer(1), row.text(2), row.integer(3), row.integer(4)});
      });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const StreamInfo& stream) { return stream.id.str(); });
}

ServiceResult<ObjectInfo> StreamsService::object_of(const StreamId& id, std::int64_t file_id) {
  std::optional<ObjectLocation> location;
  std::string etag;
  const auto read = database_.query(
      "SELECT bucket, key, version_id, etag FROM stream_files WHERE stream_id = ? AND file_id = ?",
      {id.str(), file_id}, [&](const Row& row) {
        location = ObjectLocation{row.text(0), row.text(1), row.text(2)};
        etag = row.text(3);
      });
  if (!read) return tl::unexpected(read.error());
  if (!location) {
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Stream {} has no file {}.", id.str(), file_id));
  }
  auto object = objects_.describe(location->bucket, location->key, location->version);
  if (object && object->etag != etag) {
    return refuse(ErrorCode::kETagMismatch, "The object has changed since it was put into the stream.");
  }
  return object;
}

ServiceResult<std::int64_t> StreamsService::get_blocks(
    const StreamId& id, const GetStreamRequest& request,
    const std::function<void(const StreamBlock& block)>& serve) {
  if (const auto valid = check_limits(request); !valid) return tl::unexpected(valid.error());
  if (request.expected_version) {
    const auto stream = describe(id);
    if (!stream) return tl::unexpected(stream.error());
    if (*request.expected_version != stream->version) {
      return refuse(ErrorCode::kVersionMismatch, fmt::format("The stream has version {}, not {}.",
                                                             stream->version, *request.expected_version));
    }
  }
  const auto file = object_of(id, request.file_id);
  if (!file) return tl::unexpected(file.error());
  if (request.offset > 0 && request.offset * request.block_size >= file->size) {
    return refuse(ErrorCode::kOffsetOutOfBounds, "The offset is beyond the file's end.");
  }
  const auto blocks = choose_blocks(request, file->size);
  std::vector<std::uint8_t> data;
  for (const std::int64_t index : blocks) {
    const std::int64_t start = index * request.block_size;
    data.resize(static_cast<std::size_t>(std::min(request.block_size, file->size - start)));
    if (const auto read = objects_.read(file->location, start, data); !read)
      return tl::unexpected(read.error());
    serve({index, data});
  }
  return static_cast<std::int64_t>(blocks.size());
}

}  // namespace otasim::cloud
