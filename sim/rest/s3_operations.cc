#include "sim/rest/s3_operations.h"

#include <algorithm>
#include <array>
#include <string>

#include "sim/cloud/arn.h"

namespace otasim::rest {

namespace {

using Id = S3OperationId;
using enum S3Resource;

constexpr std::string_view kNoAcl = "access control lists are not kept";
constexpr std::string_view kCopySource = "x-amz-copy-source";

// The first that fits is the one: those with a parameter or a header come before those without.
constexpr std::array kOperations{
    S3Operation{Id::kListBuckets, "ListBuckets", "GET", kService, "", "", ""},
    S3Operation{Id::kGetBucketLocation, "GetBucketLocation", "GET", kBucket, "location", "", ""},
    S3Operation{Id::kGetBucketVersioning, "GetBucketVersioning", "GET", kBucket, "versioning", "", ""},
    S3Operation{Id::kPutBucketVersioning, "PutBucketVersioning", "PUT", kBucket, "versioning", "",
                "MFA delete is not there"},
    S3Operation{Id::kListObjectVersions, "ListObjectVersions", "GET", kBucket, "versions", "", ""},
    S3Operation{Id::kListMultipartUploads, "ListMultipartUploads", "GET", kBucket, "uploads", "",
                "no delimiter; uploads of one key are in the order of their ids"},
    S3Operation{Id::kListObjectsV2, "ListObjectsV2", "GET", kBucket, "list-type", "", ""},
    S3Operation{Id::kListObjects, "ListObjects", "GET", kBucket, "", "", ""},
    S3Operation{Id::kDeleteObjects, "DeleteObjects", "POST", kBucket, "delete", "", ""},
    S3Operation{Id::kCreateBucket, "CreateBucket", "PUT", kBucket, "", "",
                "a bucket of one's own is BucketAlreadyOwnedByYou in every region; access control lists are "
                "not kept"},
    S3Operation{Id::kHeadBucket, "HeadBucket", "HEAD", kBucket, "", "", ""},
    S3Operation{Id::kDeleteBucket, "DeleteBucket", "DELETE", kBucket, "", "", ""},
    S3Operation{Id::kCreateMultipartUpload, "CreateMultipartUpload", "POST", kObject, "uploads", "", kNoAcl},
    S3Operation{Id::kUploadPartCopy, "UploadPartCopy", "PUT", kObject, "uploadId", kCopySource, ""},
    S3Operation{Id::kUploadPart, "UploadPart", "PUT", kObject, "uploadId", "", ""},
    S3Operation{Id::kListParts, "ListParts", "GET", kObject, "uploadId", "", ""},
    S3Operation{Id::kCompleteMultipartUpload, "CompleteMultipartUpload", "POST", kObject, "uploadId", "",
                "an upload that is completed a second time is NoSuchUpload at once"},
    S3Operation{Id::kAbortMultipartUpload, "AbortMultipartUpload", "DELETE", kObject, "uploadId", "", ""},
    S3Operation{Id::kGetObjectTagging, "GetObjectTagging", "GET", kObject, "tagging", "",
                "objects have no tags"},
    S3Operation{Id::kCopyObject, "CopyObject", "PUT", kObject, "", kCopySource, kNoAcl},
    S3Operation{Id::kPutObject, "PutObject", "PUT", kObject, "", "", kNoAcl},
    S3Operation{Id::kGetObject, "GetObject", "GET", kObject, "", "", "no partNumber"},
    S3Operation{Id::kHeadObject, "HeadObject", "HEAD", kObject, "", "", "no partNumber"},
    S3Operation{Id::kDeleteObject, "DeleteObject", "DELETE", kObject, "", "", "no conditions"},
};

/// Sub-resources of S3 that are not there (but for the operations above).
constexpr std::array<std::string_view, 27> kSubResources{"accelerate",
                                                         "acl",
                                                         "analytics",
                                                         "attributes",
                                                         "cors",
                                                         "encryption",
                                                         "inventory",
                                                         "intelligent-tiering",
                                                         "legal-hold",
                                                         "lifecycle",
                                                         "logging",
                                                         "metrics",
                                                         "notification",
                                                         "object-lock",
                                                         "ownershipControls",
                                                         "policy",
                                                         "policyStatus",
                                                         "publicAccessBlock",
                                                         "replication",
                                                         "requestPayment",
                                                         "restore",
                                                         "retention",
                                                         "select",
                                                         "tagging",
                                                         "torrent",
                                                         "website",
                                                         "append"};

/// Headers that ask for what is not there, and the values that ask for nothing.
struct RefusedHeader {
  std::string_view name;
  std::array<std::string_view, 2> harmless;
};
constexpr std::array kRefusedHeaders{
    RefusedHeader{"x-amz-acl", {"private", "bucket-owner-full-control"}},
    RefusedHeader{"x-amz-tagging", {"", ""}},
    RefusedHeader{"x-amz-server-side-encryption", {"AES256", ""}},
    RefusedHeader{"x-amz-server-side-encryption-customer-algorithm", {"", ""}},
    RefusedHeader{"x-amz-object-lock-mode", {"", ""}},
    RefusedHeader{"x-amz-object-lock-legal-hold", {"OFF", ""}},
    RefusedHeader{"x-amz-storage-class", {"STANDARD", ""}},
    RefusedHeader{"x-amz-grant-full-control", {"", ""}},
    RefusedHeader{"x-amz-grant-read", {"", ""}},
    RefusedHeader{"x-amz-grant-read-acp", {"", ""}},
    RefusedHeader{"x-amz-grant-write", {"", ""}},
    RefusedHeader{"x-amz-grant-write-acp", {"", ""}},
};

S3Resource resource_of(const S3Request& request) {
  if (request.location.bucket.empty()) return kService;
  return request.location.key.empty() ? kBucket : kObject;
}

bool fits(const S3Operation& operation, const S3Request& request) {
  return operation.method == request.method && operation.resource == resource_of(request) &&
         (operation.parameter.empty() || request.has(operation.parameter)) &&
         (operation.header.empty() || request.has_header(operation.header));
}

/// Conditions of a write, and those of them that S3Operation::id takes: whoever states one means it.
constexpr std::array<std::string_view, 7> kConditions{"if-match",
                                                      "if-none-match",
                                                      "if-modified-since",
                                                      "if-unmodified-since",
                                                      "x-amz-if-match-initiated-time",
                                                      "x-amz-if-match-last-modified-time",
                                                      "x-amz-if-match-size"};

S3Result<void> check_conditions(const S3Operation& operation, const S3Request& request) {
  if (operation.method == "GET" || operation.method == "HEAD") return {};
  const bool takes_etags = operation.id == Id::kPutObject || operation.id == Id::kCopyObject ||
                           operation.id == Id::kCompleteMultipartUpload;
  for (const std::string_view name : kConditions) {
    const bool is_taken = takes_etags && (name == "if-match" || name == "if-none-match");
    if (!is_taken && request.has_header(name)) return tl::unexpected(not_implemented(std::string(name)));
  }
  return {};
}

/// All buckets are the one account's.
S3Result<void> check_owner(const S3Request& request) {
  for (const std::string_view name : {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
    if (request.has_header(name) && request.header(name) != cloud::kAccount) {
      return tl::unexpected(cloud::s3_error_of_status(403));
    }
  }
  return {};
}

S3Error method_not_allowed(const S3Request& request) {
  S3Error error = cloud::s3_error_of_status(405);
  const S3Resource resource = resource_of(request);
  error.details = {{"Method", request.method},
                   {"ResourceType", resource == kService  ? "SERVICE"
                                    : resource == kBucket ? "BUCKET"
                                                          : "OBJECT"}};
  std::string allowed;
  for (const S3Operation& operation : kOperations) {
    const std::string method(operation.method);
    if (operation.resource != resource || !operation.parameter.empty() || !operation.header.empty()) continue;
    if (allowed.find(method) == std::string::npos) allowed += (allowed.empty() ? "" : ", ") + method;
  }
  error.headers = {{"Allow", allowed}};
  return error;
}

}  // namespace

S3Error not_implemented(std::string name) {
  S3Error error = cloud::s3_error_of_status(501);
  error.details = {{"Header", std::move(name)}};
  return error;
}

std::span<const S3Operation> s3_operations() {
  return kOperations;
}

S3Result<const S3Operation*> find_s3_operation(const S3Request& request) {
  const auto* const found =
      std::ranges::find_if(kOperations, [&request](const S3Operation& o) { return fits(o, request); });
  const std::string_view known = found == kOperations.end() ? std::string_view{} : found->parameter;
  for (const std::string_view name : kSubResources) {
    if (name != known && request.has(name)) return tl::unexpected(not_implemented(std::string(name)));
  }
  if (found == kOperations.end()) return tl::unexpected(method_not_allowed(request));
  for (const auto& [name, harmless] : kRefusedHeaders) {
    const std::string value = request.header(name);
    if (request.has_header(name) && (value.empty() || std::ranges::find(harmless, value) == harmless.end())) {
      return tl::unexpected(not_implemented(std::string(name)));
    }
  }
  if (auto known_conditions = check_conditions(*found, request); !known_conditions) {
    return tl::unexpected(known_conditions.error());
  }
  if (auto owned = check_owner(request); !owned) return tl::unexpected(owned.error());
  return found;
}

}  // namespace otasim::rest
