// S3's operations: which one a request is, and which there are.
//
// The table is data: it decides what a request is, names it in events, and is what the documents on
// conformance are made of. A sub-resource of S3 that is not in it is refused by name, never ignored.
#pragma once

#include <span>
#include <string_view>

#include "sim/rest/s3_request.h"

namespace otasim::rest {

enum class S3OperationId {
  kListBuckets,
  kCreateBucket,
  kHeadBucket,
  kDeleteBucket,
  kGetBucketLocation,
  kGetBucketVersioning,
  kPutBucketVersioning,
  kListObjectVersions,
  kListObjects,
  kListObjectsV2,
  kDeleteObjects,
  kListMultipartUploads,
  kCreateMultipartUpload,
  kUploadPart,
  kUploadPartCopy,
  kListParts,
  kCompleteMultipartUpload,
  kAbortMultipartUpload,
  kGetObjectTagging,
  kPutObject,
  kCopyObject,
  kGetObject,
  kHeadObject,
  kDeleteObject,
};

/// What a request is made to.
enum class S3Resource { kService, kBucket, kObject };

struct S3Operation {
  S3OperationId id;
  std::string_view name;  ///< AWS's
  std::string_view method;
  S3Resource resource;
  std::string_view parameter;  ///< of the query, that makes the difference; empty for none
  std::string_view header;     ///< the same
  std::string_view deviation;  ///< from S3, for the documents; empty for none that is known
};

[[nodiscard]] std::span<const S3Operation> s3_operations();

/// 501: a sub-resource, parameter or header of S3, by name, is not there.
[[nodiscard]] S3Error not_implemented(std::string name);

/// @returns 405 MethodNotAllowed, 501 NotImplemented for a sub-resource or header that is not there,
///          403 AccessDenied for one who takes the bucket for another account's
[[nodiscard]] S3Result<const S3Operation*> find_s3_operation(const S3Request& request);

}  // namespace otasim::rest
