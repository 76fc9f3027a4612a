// A request to S3 taken apart, and what an operation answers it with.
//
//   auto request = read_s3_request(head);                       // which bucket and key
//   auto operation = find_s3_operation(*request);               // s3_operations.h
//   S3Result<S3Answer> answer = head_bucket(*request, services);   // s3_bucket_operations.h and its like
//
// A bucket is named by the path (`/bucket/key`) or by the host (`bucket.localhost`,
// `bucket.otasim.localhost`). Nothing in a request is trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/cloud/clock.h"
#include "sim/cloud/multipart_uploads.h"
#include "sim/cloud/object_reply.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/rest/http_message.h"

namespace otasim::rest {

using cloud::S3Error;
using cloud::S3Result;

struct S3Request {
  std::string method;
  cloud::RequestTarget target;
  cloud::ObjectLocation location;  ///< the key is empty for a bucket, the bucket for the service
  HeaderFields headers;

  [[nodiscard]] bool has(std::string_view parameter) const;
  /// The value of a parameter of the query; nothing if it is not there. The first, if it is given twice.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  [[nodiscard]] std::string parameter_or_empty(std::string_view name) const;
  /// A header that is given exactly once, else an empty text.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
  /// A number in a parameter. @returns 400 InvalidArgument for one that is none, or not within the bounds
  [[nodiscard]] S3Result<std::int64_t> number(std::string_view name, std::int64_t if_missing,
                                              std::int64_t smallest, std::int64_t largest) const;
  /// The headers that are kept with an object.
  [[nodiscard]] cloud::ObjectHeaders object_headers() const;
};

/// @returns 400 InvalidURI
[[nodiscard]] S3Result<S3Request> read_s3_request(const HttpRequestHead& head);

/// What operations work with; all must outlive them.
struct S3Services {
  cloud::ObjectStore& objects;
  cloud::MultipartUploads& uploads;
  const cloud::Clock& clock;
};

struct S3Answer {
  int status = 200;
  HeaderFields headers = {};
  std::string document = {};  ///< XML; empty for none
};

/// Where the body of a request goes, piece by piece, and what comes of it.
struct S3Receiver {
  std::function<S3Result<void>(std::span<const std::uint8_t> piece)> take;
  /// Ends the content. @returns its MD5
  std::function<S3Result<std::vector<std::uint8_t>>()> seal;
  /// Once all that the request says about its body has been found true.
  std::function<S3Result<S3Answer>(cloud::ObjectChecksum checksum)> finish;
  std::uint64_t max_bytes = 0;
};

/// Gathers a small body and hands it to an operation.
[[nodiscard]] S3Receiver receive_document(
    std::uint64_t max_bytes, std::function<S3Result<S3Answer>(const std::string& body)> operation);

}  // namespace otasim::rest
