// Objects uploaded in parts, as S3's clients send large files.
//
//   auto upload = uploads.create({.bucket = "firmware", .key = "app.bin"});
//   auto writer = uploads.begin_part({"firmware", "app.bin", upload->id}, 1);
//   writer->append(piece);                                        // again and again
//   auto part = writer->finish();                                 // kept; the same number again replaces it
//   uploads.complete(upload->place(), {{1, part->etag}, ...});    // the object is there, the parts are gone
//
// Parts are content as objects are (content_folder.h): they survive the death of the process at any instant,
// and an upload that was neither completed nor aborted stays until its bucket goes. To complete an upload
// copies its parts into one file; killed meanwhile, the upload is as it was.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/cloud/object_store.h"

namespace otasim::cloud {

inline constexpr int kMaxPartNumber = 10'000;

/// What names an upload to its clients; all three must fit.
struct UploadPlace {
  std::string bucket;
  std::string key;
  std::string id;
};

struct UploadInfo {
  UploadPlace place;
  std::int64_t initiated_at = 0;  ///< epoch seconds
  ObjectHeaders headers = {};
  std::string checksum_algorithm = {};  ///< that its parts shall have; empty for none
};

struct PartInfo {
  int number = 0;
  std::int64_t size = 0;
  std::string etag;  ///< MD5, hex
  std::int64_t last_modified = 0;
  ObjectChecksum checksum = {};
};

/// A part as the client names it to complete its upload.
struct CompletedPart {
  int number = 0;
  std::string etag;           ///< without quotes
  std::string checksum = {};  ///< base64; empty if the client gives none
};

struct PartPage {
  std::vector<PartInfo> parts;  ///< by number
  int next = 0;                 ///< the number to go on behind; 0 on the last page
};

struct ListUploadsRequest {
  std::string bucket;
  std::string prefix = {};
  std::string key_marker = {};        ///< to go on behind
  std::string upload_id_marker = {};  ///< of uploads with that key; empty: behind all of them
  std::int64_t limit = 1000;
};

struct UploadPage {
  std::vector<UploadInfo> uploads;  ///< by key, then by id
  bool is_truncated = false;
};

class MultipartUploads;

/// Takes a part's content; without finish() nothing has happened. Must not outlive the uploads.
class PartWriter {
 public:
  /// @returns 400 EntityTooLarge, 500 InternalError
  S3Result<void> append(std::span<const std::uint8_t> piece);
  /// Ends the content, to look at md5() before finish(). @returns 500 InternalError
  S3Result<void> seal();
  /// Keeps the part. Once only. @param checksum  of the content, already checked
  /// @returns 404 NoSuchUpload (it is over meanwhile), 500 InternalError
  S3Result<PartInfo> finish(ObjectChecksum checksum = {});
  [[nodiscard]] const std::vector<std::uint8_t>& md5() const { return content_.md5(); }
  [[nodiscard]] std::int64_t size() const { return content_.size(); }

 private:
  friend class MultipartUploads;
  PartWriter(MultipartUploads& uploads, UploadPlace place, int number, ContentWriter content)
      : uploads_(&uploads), place_(std::move(place)), number_(number), content_(std::move(content)) {}

  MultipartUploads* uploads_;
  UploadPlace place_;
  int number_;
  ContentWriter content_;
  bool sealed_ = false;
};

class MultipartUploads {
 public:
  /// All references must outlive the uploads.
  MultipartUploads(Database& database, const Clock& clock, UuidSource uuid, ObjectStore& objects)
      : database_(database), clock_(clock), uuid_(std::move(uuid)), objects_(objects) {}
  MultipartUploads(const MultipartUploads&) = delete;
  MultipartUploads& operator=(const MultipartUploads&) = delete;

  /// @param object  its checksum names the algorithm only
  /// @returns as ObjectStore::begin_put()
  S3Result<UploadInfo> create(const NewObject& object);
  /// @returns 404 NoSuchUpload
  [[nodiscard]] S3Result<UploadInfo> describe(const UploadPlace& place);
  /// @param number  1 to kMaxPartNumber. @returns 404 NoSuchUpload, 400 InvalidArgument, 500 InternalError
  [[nodiscard]] S3Result<PartWriter> begin_part(const UploadPlace& place, int number);
  /// Makes a part of a range of an object. @returns as begin_part(), and 400 EntityTooLarge
  S3Result<PartInfo> copy_part(const UploadPlace& place, int number, const ObjectInfo& from,
                               std::int64_t offset, std::int64_t length);
  /// Makes the object.
  /// @returns 404 NoSuchUpload
  ///          400 InvalidPart       there is no such part, or it has another ETag or checksum
  ///          400 InvalidPartOrder  the numbers do not ascend
  ///          400 EntityTooSmall    a part that is not the last is too small
  ///          400 MalformedXML      there is no part at all
  ///          412 PreconditionFailed, 404 NoSuchKey: the conditions do not hold; the upload stays
  S3Result<ObjectInfo> complete(const UploadPlace& place, const std::vector<CompletedPart>& parts,
                                WriteConditions conditions = {});
  /// @returns 404 NoSuchUpload
  S3Result<void> abort(const UploadPlace& place);
  /// @returns 404 NoSuchUpload
  [[nodiscard]] S3Result<PartPage> list_parts(const UploadPlace& place, int after, std::int64_t limit);
  /// @returns 404 NoSuchBucket
  [[nodiscard]] S3Result<UploadPage> list(const ListUploadsRequest& request);

 private:
  friend class PartWriter;
  struct KeptPart;
  [[nodiscard]] S3Result<std::vector<KeptPart>> kept_parts(const std::string& upload_id);
  [[nodiscard]] S3Result<std::vector<KeptPart>> choose(const UploadInfo& upload,
                                                       const std::vector<CompletedPart>& parts);
  [[nodiscard]] S3Result<ContentWriter> join(const std::vector<KeptPart>& parts);
  [[nodiscard]] S3Result<PartInfo> keep(const UploadPlace& place, int number, ContentWriter& content,
                                        const ObjectChecksum& checksum);
  [[nodiscard]] S3Result<void> remove(const std::string& upload_id);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  ObjectStore& objects_;
};

}  // namespace otasim::cloud
