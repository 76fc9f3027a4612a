// Digests of content that comes in pieces: S3's ETags, payload hashes and checksums.
//
//   Digest digest(DigestKind::kCrc32c);
//   digest.update(piece);                    // again and again
//   base64_encode(digest.finish());          // as x-amz-checksum-crc32c carries it
//
// A CRC is four bytes, the highest first.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace otasim::cloud {

enum class DigestKind { kMd5, kSha1, kSha256, kCrc32, kCrc32c };

/// S3's name of a checksum (`CRC32C`); empty for MD5, which is none.
[[nodiscard]] std::string_view checksum_name(DigestKind kind);
/// The kind that a name, in any case, means. @returns nothing for a name that S3 does not know
[[nodiscard]] std::optional<DigestKind> checksum_of_name(std::string_view name);
/// Bytes of a digest.
[[nodiscard]] std::size_t digest_size(DigestKind kind);

class Digest {
 public:
  explicit Digest(DigestKind kind);

  [[nodiscard]] DigestKind kind() const { return kind_; }
  void update(std::span<const std::uint8_t> piece);
  /// Once, at the end.
  [[nodiscard]] std::vector<std::uint8_t> finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  DigestKind kind_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;  ///< null for a CRC
  std::uint32_t crc_ = 0xFFFF'FFFF;
};

/// Of the whole at once.
[[nodiscard]] std::vector<std::uint8_t> digest_of(DigestKind kind, std::span<const std::uint8_t> data);

}  // namespace otasim::cloud
