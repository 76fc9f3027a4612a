// Bodies in AWS's chunks, whatever they are: the result is the same however they are cut, nothing is made up.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "sim/rest/aws_chunked.h"

namespace {

using namespace otasim;
using namespace otasim::rest;

struct Outcome {
  std::string content;
  std::string error;
  std::string trailer;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::span<const std::uint8_t> body, std::size_t piece_size, bool with_trailers) {
  AwsChunkedDecoder decoder(std::nullopt, with_trailers);
  Outcome outcome;
  const auto sink = [&](std::span<const std::uint8_t> content) -> cloud::S3Result<void> {
    outcome.content.append(content.begin(), content.end());
    return {};
  };
  while (!body.empty() && outcome.error.empty()) {
    const auto piece = body.first(std::min(piece_size, body.size()));
    body = body.subspan(piece.size());
    if (const auto taken = decoder.take(piece, sink); !taken) outcome.error = taken.error().code;
  }
  if (outcome.error.empty()) {
    if (const auto done = decoder.finish(); !done) outcome.error = done.error().code;
  }
  outcome.trailer = decoder.trailer("x-amz-checksum-crc32").value_or("none");
  if (static_cast<std::int64_t>(outcome.content.size()) != decoder.size()) std::abort();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span body(data, size);
  for (const bool with_trailers : {false, true}) {
    const Outcome whole = decode(body, size + 1, with_trailers);
    if (whole.content.size() > size) std::abort();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}}) {
      if (decode(body, piece, with_trailers) != whole) std::abort();
    }
  }
  AwsChunkedDecoder decoder(
      ChunkSigner("secret", {"20130524", "us-east-1", "s3"}, "20130524T000000Z", "seed"), true);
  const auto ignore = [](std::span<const std::uint8_t>) -> cloud::S3Result<void> { return {}; };
  if (decoder.take(body, ignore) && decoder.finish()) std::abort();  // nobody guesses a signature
  return 0;
}
