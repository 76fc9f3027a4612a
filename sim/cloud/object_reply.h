// How a read of an object is answered, apart from all network: which bytes, under which header.
//
//   auto reply = read_object({.range = "bytes=0-99"}, *objects.find("firmware", "app.bin"));
//   if (reply) apply_faults(faults, *reply);
//
// Nothing in a request is trusted. Objects are read only when the reply is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/cloud/byte_range.h"
#include "sim/cloud/object_faults.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/s3_error.h"

namespace otasim::cloud {

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// The headers If-Match and its like; empty for none.
struct ReadConditions {
  std::string if_match = {};
  std::string if_none_match = {};
  std::string if_modified_since = {};
  std::string if_unmodified_since = {};
};

/// What is asked of an object, whoever asks.
struct ReadRequest {
  bool head_only = false;
  std::string range = {};     ///< header Range; empty if there is none
  std::string if_range = {};  ///< header If-Range; empty if there is none
  ReadConditions conditions = {};
  bool with_checksum = false;  ///< header x-amz-checksum-mode: ENABLED
  /// Fields of the answer that the request's response-* parameters replace; names are lower case.
  HeaderFields overrides = {};
};

/// An object on its way to the client.
struct ObjectReply {
  ObjectInfo object;
  std::int64_t presigned_expires_at = 0;
  std::optional<ByteRange> asked;          ///< the request's range, within the object
  std::optional<ByteRange> content_range;  ///< what the header claims; nothing: status 200
  std::int64_t first_byte = 0;             ///< what is sent
  std::int64_t length = 0;
  bool head_only = false;  ///< a HEAD: the header of the same GET
  bool with_checksum = false;
  HeaderFields overrides = {};

  [[nodiscard]] std::int64_t body_length() const { return head_only ? 0 : length; }
  [[nodiscard]] int status() const { return content_range ? 206 : 200; }
  /// All but Content-Length.
  [[nodiscard]] HeaderFields headers() const;
};

/// What an object in the store is answered with.
/// @returns 412 PreconditionFailed, 304 (no error, and no document), 416 InvalidRange
[[nodiscard]] S3Result<ObjectReply> read_object(const ReadRequest& request, ObjectInfo object);

/// Holds an object against conditions, as RFC 9110 ranks them. @returns 0 if they hold, 304 or 412
[[nodiscard]] int check_conditions(const ReadConditions& conditions, const ObjectInfo& object);

/// Where a fault ends a body of this length early.
struct BodyCut {
  std::int64_t at = 0;  ///< bytes sent before; negative: not even the header
  bool reset = false;   ///< by RST, else in order
};
[[nodiscard]] std::optional<BodyCut> body_cut(const ObjectFaults& faults, std::int64_t body_length);

/// Changes what is sent by the faults that do. @returns the names of all faults that make a difference
std::vector<std::string> apply_faults(const ObjectFaults& faults, ObjectReply& reply);

}  // namespace otasim::cloud
