// Bodies in AWS's chunks (Content-Encoding: aws-chunked), taken apart as they come.
//
//   AwsChunkedDecoder decoder(signer, {.trailers_allowed = true});
//   decoder.take(piece, [&](std::span<const std::uint8_t> content) { ... });    // again and again
//   decoder.finish();                                                           // was it whole?
//   decoder.trailer("x-amz-checksum-crc32c");
//
// A chunk is `SIZE[;chunk-signature=HEX]`, a line break, so many bytes and a line break; the last has none,
// and trailers may follow. With a signer each chunk's signature covers the one before it, beginning with the
// request's own; that of the trailers covers the last chunk's. Content is handed on before its chunk's
// signature can be checked: what is made of it must not count until finish() has been passed.
//
// Sizes and lines are limited; nothing is kept but a line and the trailers.
//
// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload
// in Multiple Chunks" and its companion on trailing headers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cloud/digest.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/sigv4.h"

namespace otasim::rest {

/// Signs a body's chunks, one after another.
class ChunkSigner {
 public:
  /// @param seed_signature  the request's
  ChunkSigner(std::string secret_access_key, cloud::CredentialScope scope, std::string amz_date,
              std::string seed_signature)
      : secret_(std::move(secret_access_key)),
        scope_(std::move(scope)),
        date_(std::move(amz_date)),
        previous_(std::move(seed_signature)) {}

  /// The next chunk's. @param content_hash  SHA-256 of its bytes, lower-case hex
  [[nodiscard]] std::string sign_chunk(std::string_view content_hash);
  /// Of the trailers, at the end. @param trailers_hash  SHA-256 of `name:value\n` of each
  [[nodiscard]] std::string sign_trailers(std::string_view trailers_hash);

 private:
  std::string sign(const std::string& text);

  std::string secret_;
  cloud::CredentialScope scope_;
  std::string date_;
  std::string previous_;
};

class AwsChunkedDecoder {
 public:
  using Sink = std::function<cloud::S3Result<void>(std::span<const std::uint8_t> content)>;

  /// @param signer         nothing for a body whose chunks are not signed
  /// @param with_trailers  whether there are any
  AwsChunkedDecoder(std::optional<ChunkSigner> signer, bool with_trailers)
      : signer_(std::move(signer)), with_trailers_(with_trailers) {}

  /// @returns 400 InvalidChunkSizeError, IncompleteBody, MalformedTrailerError; 403 SignatureDoesNotMatch;
  /// what
  ///          the sink returns
  cloud::S3Result<void> take(std::span<const std::uint8_t> piece, const Sink& sink);
  /// @returns 400 IncompleteBody, MalformedTrailerError; 403 SignatureDoesNotMatch
  cloud::S3Result<void> finish();

  /// Bytes of content so far.
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// After finish(). @param name  lower case
  [[nodiscard]] std::optional<std::string> trailer(std::string_view name) const;

 private:
  enum class State { kHeader, kContent, kContentEnd, kTrailers };

  cloud::S3Result<void> take_header(std::string_view line);
  cloud::S3Result<void> end_chunk();
  cloud::S3Result<void> take_trailer(std::string_view line);
  /// Adds to the line, up to its end. @returns the line once it is there
  cloud::S3Result<std::optional<std::string>> take_line(std::span<const std::uint8_t>& piece);

  std::optional<ChunkSigner> signer_;
  bool with_trailers_;
  State state_ = State::kHeader;
  std::string line_;
  std::int64_t left_ = 0;  ///< of the chunk
  std::string chunk_signature_;
  cloud::Digest chunk_hash_{cloud::DigestKind::kSha256};
  std::int64_t size_ = 0;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::size_t trailer_bytes_ = 0;
  std::string trailer_signature_;
};

}  // namespace otasim::rest
