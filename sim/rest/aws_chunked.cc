#include "sim/rest/aws_chunked.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/base/text.h"
#include "sim/crypto/key.h"

namespace otasim::rest {

namespace {

using cloud::S3Error;
using cloud::S3Result;

constexpr std::size_t kMaxLineBytes = 1024;
constexpr std::size_t kMaxTrailerBytes = 4096;
constexpr std::int64_t kMaxChunkBytes = std::int64_t{5} << 30;
constexpr std::string_view kSignatureExtension = "chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

std::string hash_of_text(std::string_view text) {
  return crypto::hex(crypto::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

tl::unexpected<S3Error> refuse(int status, const char* code, const char* message) {
  return tl::unexpected(S3Error{status, code, message});
}

tl::unexpected<S3Error> incomplete() {
  return refuse(400, "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header");
}

tl::unexpected<S3Error> malformed_trailer() {
  return refuse(400, "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our "
                "published schema.");
}

tl::unexpected<S3Error> wrong_signature() {
  return refuse(403, "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your "
                "key and signing method.");
}

}  // namespace

std::string ChunkSigner::sign(const std::string& text) {
  previous_ = cloud::sigv4_signature(secret_, scope_, text);
  return previous_;
}

std::string ChunkSigner::sign_chunk(std::string_view content_hash) {
  return sign(fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", date_, scope_.str(), previous_,
                          hash_of_text(""), content_hash));
}

std::string ChunkSigner::sign_trailers(std::string_view trailers_hash) {
  return sign(
      fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", date_, scope_.str(), previous_, trailers_hash));
}

S3Result<void> AwsChunkedDecoder::take(std::span<const std::uint8_t> piece, const Sink& sink) {
  while (!piece.empty()) {
    if (state_ == State::kContent) {
      const auto content = piece.first(
          static_cast<std::size_t>(std::min<std::int64_t>(left_, static_cast<std::int64_t>(piece.size()))));
      piece = piece.subspan(content.size());
      left_ -= static_cast<std::int64_t>(content.size());
      size_ += static_cast<std::int64_t>(content.size());
      if (signer_) chunk_hash_.update(content);
      if (auto taken = sink(content); !taken) return taken;
      if (left_ == 0) state_ = State::kContentEnd;
      continue;
    }
    auto line = take_line(piece);
    if (!line) return tl::unexpected(line.error());
    if (!*line) break;
    S3Result<void> done;
    if (state_ == State::kHeader) {
      done = take_header(**line);
    } else if (state_ == State::kContentEnd) {
      done = (*line)->empty() ? end_chunk() : incomplete();
    } else {
      done = take_trailer(**line);
    }
    if (!done) return done;
  }
  return {};
}

S3Result<std::optional<std::string>> AwsChunkedDecoder::take_line(std::span<const std::uint8_t>& piece) {
  const auto end = std::ranges::find(piece, std::uint8_t{'\n'});
  const auto length = static_cast<std::size_t>(end - piece.begin());
  if (line_.size() + length > kMaxLineBytes) {
    return refuse(400, "InvalidChunkSizeError", "A chunk's header is longer than any can be.");
  }
  line_.append(piece.begin(), end);
  if (end == piece.end()) {
    piece = {};
    return std::nullopt;
  }
  piece = piece.subspan(length + 1);
  if (line_.ends_with('\r')) line_.pop_back();
  return std::exchange(line_, {});
}

S3Result<void> AwsChunkedDecoder::take_header(std::string_view line) {
  const std::size_t semicolon = line.find(';');
  const std::string_view digits = line.substr(0, semicolon);
  std::int64_t size = 0;
  constexpr int kHexadecimal = 16;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, kHexadecimal);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || size < 0 ||
      size > kMaxChunkBytes) {
    return refuse(400, "InvalidChunkSizeError", "A chunk's size is no hexadecimal number.");
  }
  chunk_signature_.clear();
  if (semicolon != std::string_view::npos) {
    const std::string_view extension = line.substr(semicolon + 1);
    if (extension.starts_with(kSignatureExtension)) {
      chunk_signature_ = extension.substr(kSignatureExtension.size());
    }
  }
  left_ = size;
  if (size > 0) {
    state_ = State::kContent;
    return {};
  }
  if (auto ended = end_chunk(); !ended) return ended;
  state_ = State::kTrailers;
  return {};
}

S3Result<void> AwsChunkedDecoder::end_chunk() {
  state_ = State::kHeader;
  if (!signer_) return {};
  const std::string hash = crypto::hex(chunk_hash_.finish());
  chunk_hash_ = cloud::Digest(cloud::DigestKind::kSha256);
  if (!cloud::equal_in_constant_time(signer_->sign_chunk(hash), chunk_signature_)) return wrong_signature();
  return {};
}

/// Clients differ in where they put empty lines: all of them are passed over.
S3Result<void> AwsChunkedDecoder::take_trailer(std::string_view line) {
  if (line.empty()) return {};
  const std::size_t colon = line.find(':');
  trailer_bytes_ += line.size();
  if (!with_trailers_ || colon == std::string_view::npos || trailer_bytes_ > kMaxTrailerBytes ||
      !trailer_signature_.empty()) {
    return malformed_trailer();
  }
  std::string name = to_lower(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (name == kTrailerSignature) {
    trailer_signature_ = value;
  } else {
    trailers_.emplace_back(std::move(name), value);
  }
  return {};
}

S3Result<void> AwsChunkedDecoder::finish() {
  if (state_ != State::kTrailers || !line_.empty()) return incomplete();
  if (!signer_ || !with_trailers_) return {};
  std::string text;
  for (const auto& [name, value] : trailers_) text += fmt::format("{}:{}\n", name, value);
  if (!cloud::equal_in_constant_time(signer_->sign_trailers(hash_of_text(text)), trailer_signature_)) {
    return wrong_signature();
  }
  return {};
}

std::optional<std::string> AwsChunkedDecoder::trailer(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [given, value] : trailers_) {
    if (given != name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

}  // namespace otasim::rest
