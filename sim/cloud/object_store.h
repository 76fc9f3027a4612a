// Objects in buckets, with versions, as S3 holds them.
//
//   auto object = objects.put("firmware", "app.bin", bytes);        // the lab's own: may make the bucket
//   objects.describe("firmware", "app.bin");                        // the latest
//   objects.read(object->location, offset, into);                   // some bytes, again and again
//   objects.list({.bucket = "firmware", .prefix = "releases/"});    // page by page
//
// and as clients of S3 put and delete:
//
//   objects.buckets().create("releases");
//   auto writer = objects.begin_put({.bucket = "releases", .key = "app.bin"});
//   writer->append(piece);                                          // again and again
//   auto object = writer->finish();                                 // there from now on
//   objects.find("releases", "app.bin");                            // or S3's word for why not
//   objects.delete_object("releases", "app.bin");                   // a delete marker, in a versioned bucket
//
// An object's bytes are one file in the lab's folder (content_folder.h); the store knows the rest. The file
// is complete and on the disk before the store names it, and the store forgets it before the file goes, so an
// object that can be found can be read. The process may be killed at any instant: what it leaves behind is at
// most a file that the store does not name, and opening the store removes those.
//
// A key's versions are in the order they were made; the last one is the latest. A delete marker is a version
// without content. Where versioning was never on, or is suspended, a new object is the key's null version
// (`null`) and takes the place of the one before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/base/unique_fd.h"
#include "sim/cloud/buckets.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/content_folder.h"
#include "sim/cloud/database.h"
#include "sim/cloud/object_headers.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

/// S3's longest key.
inline constexpr std::size_t kMaxObjectKeyBytes = 1024;
/// S3's largest object that is put in one go, and its smallest and largest part of an upload.
inline constexpr std::int64_t kMaxPutBytes = std::int64_t{5} << 30;
inline constexpr std::int64_t kMinPartBytes = std::int64_t{5} << 20;
/// The version of an object that has none.
inline constexpr const char* kNullVersion = "null";

struct ObjectLocation {
  std::string bucket;
  std::string key;
  std::string version;
};

/// A checksum that the client gave and the store keeps.
struct ObjectChecksum {
  std::string algorithm = {};  ///< `CRC32C`; empty for none
  std::string value = {};      ///< base64; of an upload in parts with `-N` behind it
};

struct ObjectInfo {
  ObjectLocation location;
  std::int64_t size = 0;
  /// MD5 of the content, lower-case hex, without the quotes it has on the wire; of an object uploaded in N
  /// parts the MD5 of their MD5s, and `-N`
  std::string etag;
  std::int64_t last_modified = 0;  ///< epoch seconds
  std::string content = {};        ///< names the file; empty for a delete marker
  std::int64_t sequence = 0;       ///< grows from version to version of a key
  bool latest = true;              ///< told by list()
  ObjectHeaders headers = {};
  ObjectChecksum checksum = {};

  [[nodiscard]] bool is_delete_marker() const { return content.empty(); }
};

/// A place in a listing, which goes on behind it.
struct ObjectPosition {
  std::string key;
  std::int64_t sequence = 0;      ///< of a version of `key`; 0 is behind all of them
  bool is_common_prefix = false;  ///< behind all keys that begin with `key`
};

struct ListObjectsRequest {
  std::string bucket;
  std::string prefix = {};     ///< of the keys to list
  std::string delimiter = {};  ///< keys with it behind the prefix are listed as one common prefix
  std::optional<ObjectPosition> after = {};  ///< ObjectPage::next of the page before
  bool all_versions = false;  ///< false: each key's latest only, unless that is a delete marker
  std::int64_t limit = 1000;  ///< objects and common prefixes in a page, at least 1
};

struct ObjectPage {
  std::vector<ObjectInfo> objects;           ///< by key, byte for byte; versions of a key newest first
  std::vector<std::string> common_prefixes;  ///< in order
  std::optional<ObjectPosition> next;        ///< where the next page begins; nothing on the last one
};

struct ObjectStoreOptions {
  std::int64_t max_put_bytes = kMaxPutBytes;    ///< of an object or part put in one go
  std::int64_t min_part_bytes = kMinPartBytes;  ///< of a part that is not the last
};

/// What a write wants of its key. It is looked at in the instant of the write: of two writers that both want
/// the key to be free, one gets it.
struct WriteConditions {
  bool if_free = false;       ///< If-None-Match: *: there is no object; a delete marker is none
  std::string if_match = {};  ///< If-Match: the object has this ETag (without quotes); empty: no matter
};

/// An object to be put.
struct NewObject {
  std::string bucket;
  std::string key;
  ObjectHeaders headers = {};
  ObjectChecksum checksum = {};
  WriteConditions conditions = {};
};

class ObjectStore;

/// Takes an object's content piece by piece; without finish() nothing has happened. Must not outlive the
/// store.
class ObjectWriter {
 public:
  /// @returns 400 EntityTooLarge, 500 InternalError (the disk is full, for instance)
  S3Result<void> append(std::span<const std::uint8_t> piece);
  /// Adds the version. Once only. @param checksum  of the content, already checked
  /// @returns 404 NoSuchBucket (it was deleted meanwhile), 500 InternalError;
  ///          412 PreconditionFailed, 404 NoSuchKey: the conditions do not hold
  S3Result<ObjectInfo> finish(ObjectChecksum checksum = {});
  /// Ends the content, to look at md5() before finish(). @returns 500 InternalError
  S3Result<void> seal();
  [[nodiscard]] const std::vector<std::uint8_t>& md5() const { return content_.md5(); }
  [[nodiscard]] std::int64_t size() const { return content_.size(); }

 private:
  friend class ObjectStore;
  ObjectWriter(ObjectStore& store, NewObject object, ContentWriter content)
      : store_(&store), object_(std::move(object)), content_(std::move(content)) {}

  ObjectStore* store_;
  NewObject object_;
  ContentWriter content_;
  bool sealed_ = false;
};

/// What a deletion did.
struct Deleted {
  std::string version = {};    ///< that was removed, or of the delete marker that was made; may be empty
  bool delete_marker = false;  ///< it is, or was, a delete marker
};

class ObjectStore {
 public:
  /// Removes what puts that were killed have left in the folder.
  /// @param folder  where the content goes; made by the first put if it is missing
  ObjectStore(Database& database, const Clock& clock, UuidSource uuid, std::string folder,
              ObjectStoreOptions options = {});
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  [[nodiscard]] Buckets& buckets() { return buckets_; }
  [[nodiscard]] const ObjectStoreOptions& options() const { return options_; }

  /// Adds an object; the bucket is made, versioned, if it is missing.
  /// @returns kInvalidRequest  the bucket is empty or has a slash, or the key is empty or too long
  ///          kInternalError   the object cannot be kept
  ServiceResult<ObjectInfo> put(const std::string& bucket, const std::string& key,
                                std::span<const std::uint8_t> content);
  /// @returns 404 NoSuchBucket, 400 KeyTooLongError, MetadataTooLarge, 500 InternalError;
  ///          412 PreconditionFailed, 404 NoSuchKey: the conditions do not hold already now
  [[nodiscard]] S3Result<ObjectWriter> begin_put(NewObject object);
  /// Makes `to` an object with the bytes of `from`, which must have been found. @returns as begin_put(), and
  /// 400 InvalidRequest for a source that is larger than one put may be
  S3Result<ObjectInfo> copy(const ObjectInfo& from, NewObject to);
  /// Removes a version for good. Who has it open (open_content()) can still read it.
  /// @returns kResourceNotFound, kInternalError
  ServiceResult<void> remove(const ObjectLocation& location);
  /// Deletes as S3 does: with a version, that one for good, if it is there; without, the null version where
  /// versioning is not on, and where it ever was, a delete marker is made.
  /// @returns 404 NoSuchBucket, 400 KeyTooLongError, 500 InternalError
  S3Result<Deleted> delete_object(const std::string& bucket, const std::string& key,
                                  const std::string& version = {});

  /// @param version  empty for the latest
  /// @returns kResourceNotFound, also for a delete marker
  [[nodiscard]] ServiceResult<ObjectInfo> describe(const std::string& bucket, const std::string& key,
                                                   const std::string& version = {});
  /// The same with S3's words.
  /// @returns 404 NoSuchBucket, NoSuchKey, NoSuchVersion; 405 MethodNotAllowed for a delete marker's version;
  ///          where a delete marker is in the way, header x-amz-delete-marker says so
  [[nodiscard]] S3Result<ObjectInfo> find(const std::string& bucket, const std::string& key,
                                          const std::string& version = {});
  /// @returns kInternalError; a bucket that does not exist is an empty page
  [[nodiscard]] ServiceResult<ObjectPage> list(const ListObjectsRequest& request);

  /// Reads `into.size()` bytes from `offset`, which must be within the object.
  /// @returns kResourceNotFound  the object was removed
  ///          kInternalError     the file is missing or shorter
  [[nodiscard]] ServiceResult<void> read(const ObjectLocation& location, std::int64_t offset,
                                         std::span<std::uint8_t> into);
  [[nodiscard]] ServiceResult<std::vector<std::uint8_t>> read_all(const ObjectLocation& location);
  /// The content as a file of the caller's own, for transfers that take their time. @returns as read()
  [[nodiscard]] ServiceResult<UniqueFd> open_content(const ObjectLocation& location);

 private:
  friend class ObjectWriter;
  friend class MultipartUploads;

  [[nodiscard]] ServiceResult<std::string> content_of(const ObjectLocation& location);
  [[nodiscard]] S3Result<std::optional<ObjectInfo>> look_up(const ObjectLocation& location);
  [[nodiscard]] S3Result<bool> content_exists(const std::string& content);
  [[nodiscard]] S3Result<ObjectWriter> begin(NewObject object);
  [[nodiscard]] S3Result<void> check_conditions(const NewObject& object);
  /// Makes the version, within a transaction. `etag` is the content's MD5 if it is empty.
  [[nodiscard]] S3Result<ObjectInfo> keep(const NewObject& object, ContentWriter& content,
                                          const std::string& etag = {});
  [[nodiscard]] S3Result<void> record(const ObjectInfo& info);
  [[nodiscard]] S3Result<std::optional<ObjectInfo>> take_out(const ObjectLocation& location);
  /// Removes a file once the transaction is over.
  void forget(const std::string& content);
  [[nodiscard]] ServiceResult<int> open(const ObjectLocation& location);
  void remove_orphans();

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  ContentFolder folder_;
  ObjectStoreOptions options_;
  Buckets buckets_;
  std::unordered_map<std::string, UniqueFd> open_files_;  ///< by content: blocks are read many times
};

}  // namespace otasim::cloud
