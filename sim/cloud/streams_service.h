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
#include "sim/cloud/page.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr std::int64_t kMinBlockSize = 256;
inline constexpr std::int64_t kMaxBlockSize = 131'072;
inline constexpr std::int64_t kMaxBlockNumber = 98'304;
/// Bitmaps are shorter than this.
inline constexpr std::size_t kBitmapLimit = 12'288;
inline constexpr std::int64_t kMaxBytesPerRequest = 131'072;

inline constexpr std::size_t kMaxStreamFiles = 50;

struct StreamFile {
  std::int64_t file_id = 0;  ///< 0 to 255
  /// Without a version: the latest. Should there be a newer one when a device asks, it gets ETagMismatch.
  ObjectLocation object;
};

struct CreateStreamRequest {
  StreamId id;
  std::vector<StreamFile> files;
  std::string description = {};
  std::string role_arn = {};  ///< told by describe(), and otherwise without meaning
};

/// What is not given stays as it is.
struct UpdateStreamRequest {
  StreamId id;
  std::optional<std::vector<StreamFile>> files = {};
  std::optional<std::string> description = {};
  std::optional<std::string> role_arn = {};
};

struct StreamFileInfo {
  std::int64_t file_id = 0;
  ObjectLocation object;  ///< as given
  std::int64_t size = 0;  ///< 0 if the object is gone
};

struct StreamInfo {
  StreamId id;
  std::int64_t version = 0;  ///< 1, and one more with each update
  std::string description;
  std::int64_t created_at = 0;  ///< epoch seconds
  std::int64_t last_updated_at = 0;
  std::vector<StreamFileInfo> files = {};  ///< not in lists
  std::string role_arn = {};               ///< not in lists
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

  /// @returns kResourceAlreadyExists, kResourceNotFound for an object, kInvalidRequest for no file, too many,
  ///          a bad file id or one that stands twice
  ServiceResult<void> create(const CreateStreamRequest& request);
  /// Raises the version. @returns kResourceNotFound for the stream or an object, kInvalidRequest as create()
  ServiceResult<void> update(const UpdateStreamRequest& request);
  /// @returns kResourceNotFound, kDeleteConflict while an OTA update uses it
  ServiceResult<void> remove(const StreamId& id);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<StreamInfo> describe(const StreamId& id);
  /// In order of their ids, without their files. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<StreamInfo>> list(const PageRequest& page = {});
  /// A file's object as it stands now.
  /// @returns kResourceNotFound for the stream, the file or its object, kETagMismatch if it is another object
  ///          than the stream was made with
  [[nodiscard]] ServiceResult<ObjectInfo> object_of(const StreamId& id, std::int64_t file_id);
  /// Calls `serve` for each block, in ascending order. @returns how many
  ///         kBlockSizeOutOfBounds, kOffsetOutOfBounds (also beyond the file's end),
  ///         kBlockCountLimitExceeded, kBlockBitmapLimitExceeded, kResourceNotFound, kVersionMismatch,
  ///         kETagMismatch
  ServiceResult<std::int64_t> get_blocks(const StreamId& id, const GetStreamRequest& request,
                                         const std::function<void(const StreamBlock& block)>& serve);

 private:
  [[nodiscard]] ServiceResult<void> store_files(const StreamId& id, const std::vector<StreamFile>& files);

  Database& database_;
  const Clock& clock_;
  ObjectStore& objects_;
};

}  // namespace otasim::cloud
