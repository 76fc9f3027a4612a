// Errors as S3 answers them: an HTTP status, and a document with a code that clients act upon.
//
// Details are further elements of the document, in order (`Key`, `BucketName`, `Expires` and so on). They may
// carry bytes that came from the network; the document is well-formed whatever they are.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "sim/base/result.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct S3Error {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  int status = 500;
  std::string code;     ///< `NoSuchKey`
  std::string message;  ///< a sentence
  Fields details;       ///< name of the element, text
  Fields headers;       ///< further header fields of the answer
  std::string cause;    ///< of an InternalError, for the lab's eyes only

  S3Error() = default;
  S3Error(int http_status, std::string error_code, std::string text, Fields more = {}, Fields fields = {})
      : status(http_status),
        code(std::move(error_code)),
        message(std::move(text)),
        details(std::move(more)),
        headers(std::move(fields)) {}
  /// The store failed: InternalError.
  S3Error(const Error& error);  // NOLINT(google-explicit-constructor): lets store errors pass through

  /// What the lab's own callers see.
  [[nodiscard]] ServiceError to_service_error() const;
};

template <typename T>
using S3Result = tl::expected<T, S3Error>;

/// The error S3 gives most often with a status: `AccessDenied` for 403, `SlowDown` for 503 and so on.
[[nodiscard]] S3Error s3_error_of_status(int status);

/// The XML document.
[[nodiscard]] std::string s3_error_document(const S3Error& error, std::string_view request_id,
                                            std::string_view host_id);

/// Text for an XML element. What XML cannot hold (control characters, bytes that are no UTF-8) becomes `?`.
[[nodiscard]] std::string xml_escape(std::string_view text);

}  // namespace otasim::cloud
