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
  if (request.files.empty()) return refuse(ErrorCode::kInvalidRequest, "A stream needs a file.");
  return database_.transaction([&]() -> ServiceResult<void> {
    if (describe(request.id)) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Stream {} exists already.", request.id.str()));
    }
    const std::int64_t now = clock_.now();
    const auto added = database_.execute(
        "INSERT INTO streams(stream_id, version, description, created_at, last_updated_at) VALUES (?, 1, ?, "
        "?, ?)",
        {request.id.str(), request.description, now, now});
    if (!added) return tl::unexpected(added.error());
    for (const StreamFile& file : request.files) {
      if (!within(file.file_id, 0, kMaxFileId)) {
        return refuse(ErrorCode::kInvalidRequest, fmt::format("A file id must be 0 to {}.", kMaxFileId));
      }
      const auto object = objects_.describe(file.object.bucket, file.object.key, file.object.version);
      if (!object) return tl::unexpected(object.error());
      const auto stored = database_.execute(
          "INSERT INTO stream_files(stream_id, file_id, bucket, key, version_id) VALUES (?, ?, ?, ?, ?)",
          {request.id.str(), file.file_id, object->location.bucket, object->location.key,
           object->location.version});
      if (!stored) return tl::unexpected(stored.error());
    }
    return {};
  });
}

ServiceResult<StreamDescription> StreamsService::describe(const StreamId& id) {
  std::optional<StreamDescription> stream;
  const auto read = database_.query(
      "SELECT s.version, s.description, f.file_id, o.size FROM streams s "
      "LEFT JOIN stream_files f USING (stream_id) LEFT JOIN objects o USING (bucket, key, version_id) "
      "WHERE s.stream_id = ? ORDER BY f.file_id",
      {id.str()}, [&stream](const Row& row) {
        if (!stream) stream = StreamDescription{row.integer(0), row.text(1), {}};
        if (const auto file = row.optional_integer(2)) stream->files.push_back({*file, row.integer(3)});
      });
  if (!read) return tl::unexpected(read.error());
  if (!stream)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Stream {} does not exist.", id.str()));
  return *stream;
}

ServiceResult<StreamsService::File> StreamsService::find_file(const StreamId& id, std::int64_t file_id) {
  std::optional<File> file;
  const auto read = database_.query(
      "SELECT f.bucket, f.key, f.version_id, o.size, s.version FROM stream_files f "
      "JOIN streams s USING (stream_id) JOIN objects o USING (bucket, key, version_id) "
      "WHERE f.stream_id = ? AND f.file_id = ?",
      {id.str(), file_id}, [&file](const Row& row) {
        file = File{{row.text(0), row.text(1), row.text(2)}, row.integer(3), row.integer(4)};
      });
  if (!read) return tl::unexpected(read.error());
  if (!file) {
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Stream {} has no file {}.", id.str(), file_id));
  }
  return *file;
}

ServiceResult<std::int64_t> StreamsService::get_blocks(
    const StreamId& id, const GetStreamRequest& request,
    const std::function<void(const StreamBlock& block)>& serve) {
  if (const auto valid = check_limits(request); !valid) return tl::unexpected(valid.error());
  const auto file = find_file(id, request.file_id);
  if (!file) return tl::unexpected(file.error());
  if (request.expected_version && *request.expected_version != file->stream_version) {
    return refuse(ErrorCode::kVersionMismatch, fmt::format("The stream has version {}, not {}.",
                                                           file->stream_version, *request.expected_version));
  }
  if (request.offset > 0 && request.offset * request.block_size >= file->size) {
    return refuse(ErrorCode::kOffsetOutOfBounds, "The offset is beyond the file's end.");
  }
  const auto blocks = choose_blocks(request, file->size);
  std::vector<std::uint8_t> data;
  for (const std::int64_t index : blocks) {
    const std::int64_t start = index * request.block_size;
    data.resize(static_cast<std::size_t>(std::min(request.block_size, file->size - start)));
    if (const auto read = objects_.read(file->object, start, data); !read)
      return tl::unexpected(read.error());
    serve({index, data});
  }
  return static_cast<std::int64_t>(blocks.size());
}

}  // namespace otasim::cloud
