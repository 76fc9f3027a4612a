// AWS IoT file streams: versions of objects, served to devices in blocks.
//
//   streams.create({.id = ..., .files = {{0, object}}});
//   streams.get_blocks(id, request, [](const StreamBlock& block) { ... });
//
// A request names blocks by an offset and a count, or by an offset and a bitmap (bit 0 of byte 0 is the block
// at the offset). At most 128 KB are served per request; what is asked beyond that is dropped without an
// error, as AWS does: devices ask again for what is missing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr std::int64_t kMinBlockSize = 256;
inline constexpr std::int64_t kMaxBlockSize = 131'072;
inline constexpr std::int64_t kMaxBlockNumber = 98'304;
/// Bitmaps are shorter than this.
inline constexpr std::size_t kBitmapLimit = 12'288;
inline constexpr std::int64_t kMaxBytesPerRequest = 131'072;

struct StreamFile {
  std::int64_t file_id = 0;  ///< 0 to 255
  ObjectLocation object;
};

struct CreateStreamRequest {
  StreamId id;
  std::vector<StreamFile> files;
  std::string description = {};
};

struct StreamFileSize {
  std::int64_t file_id = 0;
  std::int64_t size = 0;
};

struct StreamDescription {
  std::int64_t version = 0;
  std::string description;
  std::vector<StreamFileSize> files;
};

struct GetStreamRequest {
  std::int64_t file_id = 0;
  std::int64_t block_size = 0;
  std::int64_t offset = 0;                               ///< in blocks
  std::optional<std::int64_t> block_count = {};          ///< none: as many as a request may bring
  std::optional<std::vector<std::uint8_t>> bitmap = {};  ///< relative to the offset
  std::optional<std::int64_t> expected_version = {};
};

struct StreamBlock {
  std::int64_t index = 0;
  std::span<const std::uint8_t> data;  ///< lives as long as the call
};

class StreamsService {
 public:
  StreamsService(Database& database, const Clock& clock, ObjectStore& objects)
      : database_(database), clock_(clock), objects_(objects) {}

  /// @returns kResourceAlreadyExists, kResourceNotFound for an object, kInvalidRequest for no file or a bad
  /// id
  ServiceResult<void> create(const CreateStreamRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<StreamDescription> describe(const StreamId& id);
  /// Calls `serve` for each block, in ascending order. @returns how many
  ///         kBlockSizeOutOfBounds, kOffsetOutOfBounds (also beyond the file's end),
  ///         kBlockCountLimitExceeded, kBlockBitmapLimitExceeded, kResourceNotFound, kVersionMismatch
  ServiceResult<std::int64_t> get_blocks(const StreamId& id, const GetStreamRequest& request,
                                         const std::function<void(const StreamBlock& block)>& serve);

 private:
  struct File {
    ObjectLocation object;
    std::int64_t size = 0;
    std::int64_t stream_version = 0;
  };
  [[nodiscard]] ServiceResult<File> find_file(const StreamId& id, std::int64_t file_id);

  Database& database_;
  const Clock& clock_;
  ObjectStore& objects_;
};

}  // namespace otasim::cloud
