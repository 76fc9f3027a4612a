#include "sim/cloud/digest.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace otasim::cloud {

namespace {

// Both polynomials bit-reversed, as both CRCs take a byte's lowest bit first.
constexpr std::uint32_t kCrc32Polynomial = 0xEDB8'8320;   // IEEE 802.3
constexpr std::uint32_t kCrc32cPolynomial = 0x82F6'3B78;  // RFC 3720 (Castagnoli)

/// Row N is what a byte does to the remainder N bytes further on: eight bytes are taken at a time.
using CrcTable = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTable make_table(std::uint32_t polynomial) {
  CrcTable table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? polynomial : 0);
    table[0][byte] = crc;
  }
  for (std::size_t row = 1; row < table.size(); ++row) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = table[row - 1][byte];
      table[row][byte] = (before >> 8) ^ table[0][before & 0xFFU];
    }
  }
  return table;
}

constexpr CrcTable kCrc32Table = make_table(kCrc32Polynomial);
constexpr CrcTable kCrc32cTable = make_table(kCrc32cPolynomial);

std::uint32_t update_crc(const CrcTable& table, std::uint32_t crc, std::span<const std::uint8_t> data) {
  while (data.size() >= 8) {
    crc ^= static_cast<std::uint32_t>(data[0]) | static_cast<std::uint32_t>(data[1]) << 8 |
           static_cast<std::uint32_t>(data[2]) << 16 | static_cast<std::uint32_t>(data[3]) << 24;
    crc = table[7][crc & 0xFFU] ^ table[6][(crc >> 8) & 0xFFU] ^ table[5][(crc >> 16) & 0xFFU] ^
          table[4][crc >> 24] ^ table[3][data[4]] ^ table[2][data[5]] ^ table[1][data[6]] ^ table[0][data[7]];
    data = data.subspan(8);
  }
  for (const std::uint8_t byte : data) crc = (crc >> 8) ^ table[0][(crc ^ byte) & 0xFFU];
  return crc;
}

const EVP_MD* method_of(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return EVP_md5();
    case DigestKind::kSha1:
      return EVP_sha1();
    case DigestKind::kSha256:
      return EVP_sha256();
    case DigestKind::kCrc32:
    case DigestKind::kCrc32c:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

std::string_view checksum_name(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return "";
    case DigestKind::kSha1:
      return "SHA1";
    case DigestKind::kSha256:
      return "SHA256";
    case DigestKind::kCrc32:
      return "CRC32";
    case DigestKind::kCrc32c:
      return "CRC32C";
  }
  return "";
}

std::optional<DigestKind> checksum_of_name(std::string_view name) {
  std::string upper{name};
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const DigestKind kind :
       {DigestKind::kCrc32, DigestKind::kCrc32c, DigestKind::kSha1, DigestKind::kSha256}) {
    if (upper == checksum_name(kind)) return kind;
  }
  return std::nullopt;
}

std::size_t digest_size(DigestKind kind) {
  const EVP_MD* const method = method_of(kind);
  return method == nullptr ? sizeof(std::uint32_t) : static_cast<std::size_t>(EVP_MD_get_size(method));
}

Digest::Digest(DigestKind kind) : kind_(kind) {
  const EVP_MD* const method = method_of(kind);
  if (method == nullptr) return;
  context_.reset(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context_.get(), method, nullptr);
}

void Digest::update(std::span<const std::uint8_t> piece) {
  if (context_) {
    EVP_DigestUpdate(context_.get(), piece.data(), piece.size());
  } else {
    crc_ = update_crc(kind_ == DigestKind::kCrc32 ? kCrc32Table : kCrc32cTable, crc_, piece);
  }
}

std::vector<std::uint8_t> Digest::finish() {
  std::vector<std::uint8_t> digest(digest_size(kind_));
  if (context_) {
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }
  const std::uint32_t crc = ~crc_;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  return digest;
}

std::vector<std::uint8_t> digest_of(DigestKind kind, std::span<const std::uint8_t> data) {
  Digest digest(kind);
  digest.update(data);
  return digest.finish();
}

}  // namespace otasim::cloud
