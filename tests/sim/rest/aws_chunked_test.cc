// Bodies in AWS's chunks: AWS's own examples, however they are cut, and whatever is wrong with them.
#include "sim/rest/aws_chunked.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "sim/cloud/base64.h"

namespace otasim::rest {
namespace {

using cloud::S3Result;

// The examples of the S3 API reference: 66,560 letters in chunks of 64 KiB, 1 KiB and nothing.
constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr const char* kDate = "20130524T000000Z";
constexpr const char* kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
constexpr const char* kTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
constexpr std::size_t kFirst = 65'536;
constexpr std::size_t kSecond = 1024;

ChunkSigner signer(const char* seed) {
  return {kSecret, {"20130524", "us-east-1", "s3"}, kDate, seed};
}

std::string chunk(std::size_t size, const std::string& signature = {}) {
  std::string text = fmt::format("{:x}", size);
  if (!signature.empty()) text += ";chunk-signature=" + signature;
  return text + "\r\n" + (size > 0 ? std::string(size, 'a') + "\r\n" : "");
}

std::string signed_body() {
  return chunk(kFirst, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
         chunk(kSecond, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
         chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9") + "\r\n";
}

std::string body_with_trailer(const std::string& checksum = "sOO8/Q==") {
  return chunk(kFirst, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
         chunk(kSecond, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
         chunk(0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992") +
         "x-amz-checksum-crc32c:" + checksum + "\r\n" +
         "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
}

struct Decoded {
  std::string content;
  std::string error;  ///< empty for none
};

/// Decodes a body that comes in pieces of so many bytes.
Decoded decode(AwsChunkedDecoder& decoder, const std::string& body, std::size_t piece_size = 4096) {
  Decoded decoded;
  const auto sink = [&](std::span<const std::uint8_t> content) -> S3Result<void> {
    decoded.content.append(content.begin(), content.end());
    return {};
  };
  std::span<const std::uint8_t> rest(reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
  while (!rest.empty()) {
    const auto piece = rest.first(std::min(piece_size, rest.size()));
    rest = rest.subspan(piece.size());
    if (const auto taken = decoder.take(piece, sink); !taken) {
      decoded.error = taken.error().code;
      return decoded;
    }
  }
  if (const auto done = decoder.finish(); !done) decoded.error = done.error().code;
  return decoded;
}

Decoded decode_signed(const std::string& body, const char* seed = kSeed) {
  AwsChunkedDecoder decoder(signer(seed), false);
  return decode(decoder, body);
}

Decoded decode_unsigned(const std::string& body, bool with_trailers = true) {
  AwsChunkedDecoder decoder(std::nullopt, with_trailers);
  return decode(decoder, body);
}

TEST(AwsChunked, TheExampleOfTheReferenceIsDecodedHoweverItIsCut) {
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{65'536}, std::size_t{1'000'000}}) {
    AwsChunkedDecoder decoder(signer(kSeed), false);
    const auto decoded = decode(decoder, signed_body(), piece);
    EXPECT_EQ(decoded.error, "") << piece;
    EXPECT_EQ(decoded.content, std::string(kFirst + kSecond, 'a'));
  }
}

TEST(AwsChunked, TheExampleWithATrailerIsDecoded) {
  AwsChunkedDecoder decoder(signer(kTrailerSeed), true);
  const auto decoded = decode(decoder, body_with_trailer());
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoder.trailer("x-amz-checksum-crc32c"), "sOO8/Q==");
  const std::string content(kFirst + kSecond, 'a');
  EXPECT_EQ(cloud::base64_encode(
                cloud::digest_of(cloud::DigestKind::kCrc32c,
                                 {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()})),
            "sOO8/Q==");
}

TEST(AwsChunked, WhateverIsChangedBreaksASignature) {
  EXPECT_EQ(decode_signed(signed_body(), kTrailerSeed).error, "SignatureDoesNotMatch");
  for (const std::size_t at :
       {std::size_t{30}, std::size_t{100}, kFirst, kFirst + 200, kFirst + kSecond + 250}) {
    std::string body = signed_body();
    body[at] = body[at] == 'b' ? 'c' : 'b';
    EXPECT_NE(decode_signed(body).error, "") << at;
  }
  EXPECT_EQ(decode_signed(chunk(kFirst) + chunk(0)).error, "SignatureDoesNotMatch") << "no signature at all";
  AwsChunkedDecoder decoder(signer(kTrailerSeed), true);
  EXPECT_EQ(decode(decoder, body_with_trailer("AAAAAA==")).error, "SignatureDoesNotMatch");
}

TEST(AwsChunked, ASignedTrailerMustHaveItsSignature) {
  const std::string body = body_with_trailer();
  AwsChunkedDecoder decoder(signer(kTrailerSeed), true);
  EXPECT_EQ(decode(decoder, body.substr(0, body.find("x-amz-trailer-signature"))).error,
            "SignatureDoesNotMatch");
}

TEST(AwsChunked, UnsignedChunksMayHaveTrailers) {
  AwsChunkedDecoder decoder(std::nullopt, true);
  const auto decoded = decode(decoder, chunk(3) + chunk(0) + "x-amz-checksum-crc32:  AAAAAA== \r\n\r\n");
  EXPECT_EQ(decoded.content, "aaa");
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoder.trailer("x-amz-checksum-crc32"), "AAAAAA==");
  EXPECT_FALSE(decoder.trailer("x-amz-checksum-sha1"));
  EXPECT_EQ(decoder.size(), 3);
}

TEST(AwsChunked, ABodyThatEndsTooEarlyIsIncomplete) {
  const std::string body = chunk(10) + chunk(0) + "\r\n";
  const std::size_t last_chunk_ends = chunk(10).size() + chunk(0).size();
  for (std::size_t length = 0; length < last_chunk_ends; ++length) {
    EXPECT_EQ(decode_unsigned(body.substr(0, length)).error, "IncompleteBody") << length;
  }
  EXPECT_EQ(decode_unsigned(body).error, "");
  EXPECT_EQ(decode_unsigned("3\r\naaaa\r\n0\r\n\r\n").error, "IncompleteBody")
      << "more than the chunk's size";
}

TEST(AwsChunked, WhatIsNoSizeIsRefused) {
  for (const char* body : {"\r\n", "x\r\n", "-1\r\n", "3 \r\naaa\r\n", "0x3\r\n", "10000000000000000\r\n",
                           "140000001\r\n", ";chunk-signature=0\r\n"}) {
    EXPECT_EQ(decode_unsigned(body).error, "InvalidChunkSizeError") << body;
  }
  EXPECT_EQ(decode_unsigned(std::string(2000, '0')).error, "InvalidChunkSizeError") << "a line without end";
}

TEST(AwsChunked, WhatIsNoTrailerIsRefused) {
  EXPECT_EQ(decode_unsigned("0\r\nno colon\r\n\r\n").error, "MalformedTrailerError");
  EXPECT_EQ(decode_unsigned("0\r\na:b\r\n\r\n", false).error, "MalformedTrailerError")
      << "none was announced";
  std::string many = "0\r\n";
  for (int i = 0; i < 1000; ++i) many += "name:value\r\n";
  EXPECT_EQ(decode_unsigned(many).error, "MalformedTrailerError");
  AwsChunkedDecoder decoder(std::nullopt, true);
  EXPECT_EQ(decode(decoder, "0\r\na:1\r\na:2\r\n\r\n").error, "");
  EXPECT_FALSE(decoder.trailer("a")) << "given twice";
}

}  // namespace
}  // namespace otasim::rest
