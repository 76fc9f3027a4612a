#include "sim/rest/s3_payload.h"

#include <fmt/format.h>

#include <charconv>

#include "sim/base/text.h"
#include "sim/cloud/base64.h"
#include "sim/crypto/key.h"

namespace otasim::rest {

namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";
constexpr std::size_t kHashDigits = 64;

tl::unexpected<S3Error> refuse(int status, const char* code, std::string message) {
  return tl::unexpected(S3Error{status, code, std::move(message)});
}

S3Result<std::int64_t> decoded_length(const S3Request& request) {
  const std::string text = request.header("x-amz-decoded-content-length");
  std::int64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || length < 0) {
    return refuse(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  return length;
}

}  // namespace

S3Result<S3Payload> S3Payload::begin(const HttpRequestHead& head, const S3Request& request,
                                     const S3Caller& caller, const RequestVerifier& verifier) {
  S3Payload payload;
  const bool with_trailers = caller.payload.ends_with("-TRAILER");
  if (caller.payload.starts_with("STREAMING-")) {
    std::optional<ChunkSigner> signer;
    if (caller.payload.starts_with("STREAMING-AWS4-")) {
      signer.emplace(verifier.config().secret_access_key, caller.scope, caller.date, caller.signature);
    }
    payload.chunks_ = std::make_unique<AwsChunkedDecoder>(std::move(signer), with_trailers);
    const auto length = decoded_length(request);
    if (!length) return tl::unexpected(length.error());
    payload.length_ = *length;
  } else if (head.has_body && !head.content_length) {
    return refuse(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  } else {
    payload.length_ = static_cast<std::int64_t>(head.content_length.value_or(0));
  }
  if (caller.payload.size() == kHashDigits) {
    payload.sha256_ = caller.payload;
    payload.sha256_digest_.emplace(cloud::DigestKind::kSha256);
  }
  if (const std::string md5 = request.header("content-md5"); !md5.empty()) {
    const auto bytes = cloud::base64_decode(md5);
    if (!bytes || bytes->size() != cloud::digest_size(cloud::DigestKind::kMd5)) {
      return refuse(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
    }
    payload.md5_ = *bytes;
  }
  if (auto expected = payload.expect_checksum(request); !expected) return tl::unexpected(expected.error());
  return payload;
}

/// At most one checksum, in the header or named there to come behind the body.
S3Result<void> S3Payload::expect_checksum(const S3Request& request) {
  for (const auto& [field, value] : request.headers) {
    const std::string name = to_lower(field);
    const bool in_header = name.starts_with(kChecksumPrefix);
    const bool behind = name == "x-amz-trailer" && to_lower(value).starts_with(kChecksumPrefix);
    if (!in_header && !behind) continue;
    const std::string header = in_header ? name : to_lower(value);
    const auto kind = cloud::checksum_of_name(std::string_view(header).substr(kChecksumPrefix.size()));
    if (!kind) {
      // x-amz-checksum-algorithm, x-amz-checksum-mode and the like
      if (in_header) continue;
      return refuse(400, "InvalidRequest",
                    fmt::format("The value specified in the x-amz-trailer header is not "
                                "supported"));
    }
    if (sum_)
      return refuse(400, "InvalidRequest",
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    if (behind && !chunks_) return refuse(400, "InvalidRequest", "A trailer needs a body in chunks.");
    if (in_header) {
      const auto bytes = cloud::base64_decode(value);
      if (!bytes || bytes->size() != cloud::digest_size(*kind)) {
        return refuse(400, "InvalidRequest", fmt::format("Value for {} header is invalid.", header));
      }
      sum_value_ = value;
    }
    sum_.emplace(*kind);
    sum_header_ = header;
  }
  return {};
}

S3Result<void> S3Payload::take(std::span<const std::uint8_t> piece, const AwsChunkedDecoder::Sink& sink) {
  const auto content = [this, &sink](std::span<const std::uint8_t> bytes) -> S3Result<void> {
    size_ += static_cast<std::int64_t>(bytes.size());
    if (length_ && size_ > *length_) {
      return refuse(400, "IncompleteBody", "The request body has more bytes than its header says.");
    }
    if (sha256_digest_) sha256_digest_->update(bytes);
    if (sum_) sum_->update(bytes);
    return sink(bytes);
  };
  return chunks_ ? chunks_->take(piece, content) : content(piece);
}

S3Result<cloud::ObjectChecksum> S3Payload::finish(const std::vector<std::uint8_t>& md5) {
  if (chunks_) {
    if (auto done = chunks_->finish(); !done) return tl::unexpected(done.error());
  }
  if (length_ && size_ != *length_) {
    return refuse(400, "IncompleteBody",
                  "You did not provide the number of bytes specified by the Content-Length HTTP header");
  }
  if (sha256_digest_ && crypto::hex(sha256_digest_->finish()) != sha256_) {
    return refuse(400, "XAmzContentSHA256Mismatch",
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  if (!md5_.empty() && md5 != md5_) {
    return refuse(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  if (!sum_) return cloud::ObjectChecksum{};
  const std::string expected =
      sum_value_.empty() ? chunks_->trailer(sum_header_).value_or(std::string{}) : sum_value_;
  if (expected.empty()) {
    return refuse(400, "MalformedTrailerError",
                  "The request contained trailing data that was not well-formed or did not conform to our "
                  "published schema.");
  }
  const std::string name(cloud::checksum_name(sum_->kind()));
  if (cloud::base64_encode(sum_->finish()) != expected) {
    return refuse(400, "BadDigest",
                  fmt::format("The {} you specified did not match the calculated checksum.", name));
  }
  return cloud::ObjectChecksum{name, expected};
}

}  // namespace otasim::rest
