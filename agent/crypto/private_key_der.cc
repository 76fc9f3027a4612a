#include <algorithm>

#include "agent/crypto/crypto.h"

namespace crypto {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kParameters = 0xA0;  ///< [0] of RFC 5915

/// SEQUENCE's content: the OIDs of an EC public key and of the curve.
constexpr std::array<std::uint8_t, 19> kEcOnP256{0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                                                 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::size_t kCurveAt = 9;

/// Takes one element of `tag` with a length of DER's shortest form below 64 KiB.
std::optional<Bytes> take(Bytes& rest, std::uint8_t tag) {
  if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
  std::size_t length = rest[1];
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t bytes = length & 0x7FU;
    if (bytes == 0 || bytes > 2 || rest.size() < 2 + bytes) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | rest[2 + i];
    if (length < (bytes == 1 ? 0x80U : 0x100U)) return std::nullopt;
    header += bytes;
  }
  if (length > rest.size() - header) return std::nullopt;
  const Bytes value = rest.subspan(header, length);
  rest = rest.subspan(header + length);
  return value;
}

bool take_version(Bytes& rest, std::uint8_t version) {
  const auto value = take(rest, kInteger);
  return value && value->size() == 1 && (*value)[0] == version;
}

/// ECPrivateKey of RFC 5915.
std::optional<P256PrivateKey> parse_sec1(Bytes der) {
  const auto content = take(der, kSequence);
  if (!content || !der.empty()) return std::nullopt;
  Bytes rest = *content;
  if (!take_version(rest, 1)) return std::nullopt;
  const auto scalar = take(rest, kOctetString);
  P256PrivateKey key;
  if (!scalar || scalar->size() != key.size()) return std::nullopt;
  if (!rest.empty() && rest[0] == kParameters) {
    const auto curve = take(rest, kParameters);
    if (!curve || !std::ranges::equal(*curve, std::span(kEcOnP256).subspan(kCurveAt))) return std::nullopt;
  }
  std::ranges::copy(*scalar, key.begin());
  return key;
}

}  // namespace

std::optional<P256PrivateKey> parse_p256_private_key(Bytes der) {
  Bytes whole = der;
  const auto content = take(whole, kSequence);
  if (!content || !whole.empty()) return std::nullopt;
  Bytes rest = *content;
  if (!take_version(rest, 0)) return parse_sec1(der);
  const auto algorithm = take(rest, kSequence);
  if (!algorithm || !std::ranges::equal(*algorithm, kEcOnP256)) return std::nullopt;
  const auto sec1 = take(rest, kOctetString);
  return sec1 ? parse_sec1(*sec1) : std::nullopt;
}

}  // namespace crypto
