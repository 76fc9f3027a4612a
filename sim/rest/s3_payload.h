// A request's body on its way in: taken out of its chunks, and held against all that the request says of it.
//
//   auto payload = S3Payload::begin(request, caller, verifier);    // contradictions are found here
//   payload->take(piece, sink);                                    // again and again
//   auto checksum = payload->finish(md5);                          // all of it was true
//
// Checked are the length, x-amz-content-sha256, Content-MD5, x-amz-checksum-* in the header or behind the
// body, and the signatures of chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/cloud/digest.h"
#include "sim/rest/aws_chunked.h"
#include "sim/rest/s3_authentication.h"
#include "sim/rest/s3_request.h"

namespace otasim::rest {

class S3Payload {
 public:
  /// @returns 400 InvalidDigest, InvalidRequest, InvalidArgument; 411 MissingContentLength
  [[nodiscard]] static S3Result<S3Payload> begin(const HttpRequestHead& head, const S3Request& request,
                                                 const S3Caller& caller, const RequestVerifier& verifier);

  /// Whether the request says anything of its content that a damaged one would not fit.
  [[nodiscard]] bool has_digest() const { return !md5_.empty() || sum_.has_value(); }
  /// @returns as AwsChunkedDecoder::take()
  S3Result<void> take(std::span<const std::uint8_t> piece, const AwsChunkedDecoder::Sink& sink);
  /// @param md5  of the content that the sink was given
  /// @returns the checksum that the request gave; 400 IncompleteBody, BadDigest, XAmzContentSHA256Mismatch,
  ///          MalformedTrailerError; 403 SignatureDoesNotMatch
  S3Result<cloud::ObjectChecksum> finish(const std::vector<std::uint8_t>& md5);

 private:
  S3Payload() = default;
  S3Result<void> expect_checksum(const S3Request& request);

  std::unique_ptr<AwsChunkedDecoder> chunks_;  ///< null for a body that is itself
  std::optional<std::int64_t> length_;         ///< of the content, as the request says
  std::int64_t size_ = 0;
  std::string sha256_;  ///< as the request says; empty for none
  std::optional<cloud::Digest> sha256_digest_;
  std::vector<std::uint8_t> md5_;     ///< the same
  std::optional<cloud::Digest> sum_;  ///< of the checksum
  std::string sum_header_;            ///< its name
  std::string sum_value_;             ///< empty: it comes behind the body
};

}  // namespace otasim::rest
