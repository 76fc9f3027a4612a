#include "agent/boot/image.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "agent/boot/image_encryption.h"
#include "agent/boot/slots.h"

namespace boot::image {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are read as they stand in memory");

using Bytes = std::span<const std::uint8_t>;

/// The parts of an image, as offsets from its first byte. Sums are checked: none exceeds the limit given.
struct Layout {
  std::uint32_t payload_at;
  std::uint32_t protected_at;  ///< end of the payload
  std::uint32_t protected_size;
  std::uint32_t tlvs_at;  ///< end of what is hashed and signed
};

/// What the TLV areas hold; the spans point into the bytes that were parsed.
struct Tlvs {
  Bytes key_hash;
  Bytes sha256;
  Bytes signature;
  Bytes encrypted_key;
  std::optional<std::uint32_t> security_counter;
  std::optional<std::uint32_t> kind;
  std::optional<std::uint32_t> revoked_keys;
};

template <typename T>
T read_as(Bytes bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

bool is_encrypted(const Header& header) {
  return (header.flags & kFlagEncryptedAes128) != 0;
}

/// @param limit  bytes there are at most, from the header's first
VerifyStatus check_header(const Header& header, const LoadRegion& region, std::uint32_t limit,
                          Layout& layout) {
  if (header.magic != kMagic) return VerifyStatus::kNoImage;
  if (header.header_size < kHeaderStructSize || header.header_size % kVectorTableAlignment != 0) {
    return VerifyStatus::kBadHeader;
  }
  if ((header.flags & ~(kFlagRamLoad | kFlagEncryptedAes128)) != 0) return VerifyStatus::kBadHeader;
  if ((header.flags & kFlagRamLoad) == 0) return VerifyStatus::kNotRamLoad;
  if (header.load_address != region.address) return VerifyStatus::kWrongLoadAddress;
  if (header.image_size < kMinPayloadSize) return VerifyStatus::kBadSize;
  if (header.protected_tlv_size > kMaxTlvAreaSize) return VerifyStatus::kBadTlv;
  const std::uint64_t tlvs_at =
      std::uint64_t{header.header_size} + header.image_size + header.protected_tlv_size;
  if (tlvs_at + sizeof(TlvInfo) > limit) return VerifyStatus::kBadSize;
  layout.payload_at = header.header_size;
  layout.protected_at = header.header_size + header.image_size;
  layout.protected_size = header.protected_tlv_size;
  layout.tlvs_at = static_cast<std::uint32_t>(tlvs_at);
  return VerifyStatus::kOk;
}

/// Takes an area's size from its info header.
VerifyStatus check_tlv_info(const TlvInfo& info, std::uint16_t magic, std::uint32_t limit) {
  if (info.magic != magic) return VerifyStatus::kBadTlv;
  if (info.total_size < sizeof(TlvInfo) || info.total_size > kMaxTlvAreaSize) return VerifyStatus::kBadTlv;
  return info.total_size <= limit ? VerifyStatus::kOk : VerifyStatus::kBadSize;
}

VerifyStatus take_bytes(Bytes& into, Bytes value, std::size_t min_size, std::size_t max_size) {
  if (!into.empty()) return VerifyStatus::kDuplicateTlv;
  if (value.size() < min_size || value.size() > max_size) return VerifyStatus::kBadTlv;
  into = value;
  return VerifyStatus::kOk;
}

VerifyStatus take_number(std::optional<std::uint32_t>& into, Bytes value) {
  if (into) return VerifyStatus::kDuplicateTlv;
  if (value.size() != sizeof(std::uint32_t)) return VerifyStatus::kBadTlv;
  into = read_as<std::uint32_t>(value);
  return VerifyStatus::kOk;
}

VerifyStatus take_unprotected(std::uint16_t type, Bytes value, Tlvs& out) {
  constexpr std::size_t kHashSize = sizeof(crypto::Sha256Digest);
  switch (type) {
    case kTlvKeyHash:
      return take_bytes(out.key_hash, value, kHashSize, kHashSize);
    case kTlvSha256:
      return take_bytes(out.sha256, value, kHashSize, kHashSize);
    case kTlvEcdsaSignature:
      return take_bytes(out.signature, value, 1, crypto::kMaxEcdsaSignature);
    case kTlvEciesP256:
      return take_bytes(out.encrypted_key, value, kEncryptedKeySize, kEncryptedKeySize);
    default:
      return VerifyStatus::kUnexpectedTlv;
  }
}

VerifyStatus take_protected(std::uint16_t type, Bytes value, Tlvs& out) {
  switch (type) {
    case kTlvKeyHash:
    case kTlvSha256:
    case kTlvEcdsaSignature:
    case kTlvEciesP256:
      return VerifyStatus::kUnexpectedTlv;
    case kTlvSecurityCounter:
      return take_number(out.security_counter, value);
    case kTlvImageKind:
      return take_number(out.kind, value);
    case kTlvRevokedKeys:
      return take_number(out.revoked_keys, value);
    default:
      return VerifyStatus::kOk;  // signed, and not for us
  }
}

/// Parses the entries of one area, its info header already checked. Each entry is at least four bytes of at
/// most kMaxTlvAreaSize, which bounds the loop.
template <typename Take>
VerifyStatus parse_entries(Bytes area, Take take, Tlvs& out) {
  Bytes rest = area.subspan(sizeof(TlvInfo));
  while (!rest.empty()) {
    if (rest.size() < sizeof(TlvEntry)) return VerifyStatus::kBadTlv;
    const auto entry = read_as<TlvEntry>(rest);
    rest = rest.subspan(sizeof(TlvEntry));
    if (entry.length > rest.size()) return VerifyStatus::kBadTlv;
    const VerifyStatus status = take(entry.type, rest.first(entry.length), out);
    if (status != VerifyStatus::kOk) return status;
    rest = rest.subspan(entry.length);
  }
  return VerifyStatus::kOk;
}

/// @param protected_area  empty if the image has none
VerifyStatus parse_tlvs(const Header& header, Bytes protected_area, Bytes area, Tlvs& out) {
  if (!protected_area.empty()) {
    if (protected_area.size() < sizeof(TlvInfo)) return VerifyStatus::kBadTlv;
    const auto info = read_as<TlvInfo>(protected_area);
    const auto size = static_cast<std::uint32_t>(protected_area.size());
    if (check_tlv_info(info, kTlvProtectedInfoMagic, size) != VerifyStatus::kOk || info.total_size != size) {
      return VerifyStatus::kBadTlv;
    }
    const VerifyStatus status = parse_entries(protected_area, take_protected, out);
    if (status != VerifyStatus::kOk) return status;
  }
  const VerifyStatus status = parse_entries(area, take_unprotected, out);
  if (status != VerifyStatus::kOk) return status;
  const bool complete = !out.key_hash.empty() && !out.sha256.empty() && !out.signature.empty() &&
                        out.security_counter.has_value();
  if (!out.encrypted_key.empty() && !is_encrypted(header)) return VerifyStatus::kUnexpectedTlv;
  if (out.encrypted_key.empty() && is_encrypted(header)) return VerifyStatus::kMissingTlv;
  return complete ? VerifyStatus::kOk : VerifyStatus::kMissingTlv;
}

Info make_info(const Header& header, const Tlvs& tlvs, std::uint32_t total_size) {
  Info info;
  info.version = header.version;
  info.security_counter = tlvs.security_counter.value_or(0);
  info.kind = static_cast<Kind>(tlvs.kind.value_or(static_cast<std::uint32_t>(Kind::kApplication)));
  info.revoked_keys = tlvs.revoked_keys.value_or(0);
  std::copy(tlvs.sha256.begin(), tlvs.sha256.end(), info.digest.begin());
  info.load_address = header.load_address;
  info.header_size = header.header_size;
  info.total_size = total_size;
  return info;
}

/// An image that fills its bytes exactly, taken apart.
struct Parsed {
  Header header;
  Layout layout;
  Tlvs tlvs;
};

VerifyStatus parse_whole(Bytes image, const LoadRegion& region, Parsed& out) {
  if (image.size() < kHeaderStructSize) return VerifyStatus::kNoImage;
  if (image.size() > region.size) return VerifyStatus::kBadSize;
  const auto size = static_cast<std::uint32_t>(image.size());
  out.header = read_as<Header>(image);
  VerifyStatus status = check_header(out.header, region, size, out.layout);
  if (status != VerifyStatus::kOk) return status;

  const Bytes area = image.subspan(out.layout.tlvs_at);
  const auto tlv_info = read_as<TlvInfo>(area);
  status = check_tlv_info(tlv_info, kTlvInfoMagic, size - out.layout.tlvs_at);
  if (status != VerifyStatus::kOk) return status;
  if (tlv_info.total_size != area.size()) return VerifyStatus::kBadSize;
  return parse_tlvs(out.header, image.subspan(out.layout.protected_at, out.layout.protected_size), area,
                    out.tlvs);
}

VerifyStatus check_signature(Bytes signed_part, const Tlvs& tlvs, const Trust& trust) {
  const crypto::Sha256Digest digest = crypto::sha256(signed_part);
  if (!crypto::equal_constant_time(digest, tlvs.sha256)) return VerifyStatus::kHashMismatch;
  for (std::size_t i = 0; i < trust.signers.size(); ++i) {
    const PublicKey& signer = trust.signers[i];
    if (!crypto::equal_constant_time(signer.hash, tlvs.key_hash)) continue;
    const std::uint32_t bit = 1U << i;
    if ((trust.revoked & bit) != 0) return VerifyStatus::kRevokedKey;
    // A signer that could revoke itself could leave the device without any.
    if ((tlvs.revoked_keys.value_or(0) & bit) != 0) return VerifyStatus::kBadTlv;
    return crypto::ecdsa_p256_verify(signer.point, digest, tlvs.signature) == crypto::Verdict::kYes
               ? VerifyStatus::kOk
               : VerifyStatus::kBadSignature;
  }
  return VerifyStatus::kUnknownKey;
}

}  // namespace

VerifyStatus peek(flash::FlashDriver& flash, Slot slot, const LoadRegion& region, Info& info) {
  const flash::Partition* partition = slot_partition(slot);
  if (partition == nullptr) return VerifyStatus::kNoImage;
  const auto read = [&](std::uint32_t at, std::span<std::uint8_t> out) {
    return flash.read(partition->offset + at, out) == flash::Status::kOk;
  };

  std::array<std::uint8_t, kHeaderStructSize> header_bytes{};
  if (!read(0, header_bytes)) return VerifyStatus::kFlashError;
  const auto header = read_as<Header>(header_bytes);
  const std::uint32_t limit = std::min(partition->size, region.size);
  Layout layout{};
  VerifyStatus status = check_header(header, region, limit, layout);
  if (status != VerifyStatus::kOk) return status;

  std::array<std::uint8_t, kMaxTlvAreaSize> protected_bytes{};
  const auto protected_area = std::span(protected_bytes).first(layout.protected_size);
  std::array<std::uint8_t, kMaxTlvAreaSize> tlv_bytes{};
  const auto info_bytes = std::span(tlv_bytes).first(sizeof(TlvInfo));
  if (!read(layout.protected_at, protected_area) || !read(layout.tlvs_at, info_bytes)) {
    return VerifyStatus::kFlashError;
  }
  const auto tlv_info = read_as<TlvInfo>(info_bytes);
  status = check_tlv_info(tlv_info, kTlvInfoMagic, limit - layout.tlvs_at);
  if (status != VerifyStatus::kOk) return status;
  const auto area = std::span(tlv_bytes).first(tlv_info.total_size);
  if (!read(layout.tlvs_at, area)) return VerifyStatus::kFlashError;

  Tlvs tlvs;
  status = parse_tlvs(header, protected_area, area, tlvs);
  if (status != VerifyStatus::kOk) return status;
  info = make_info(header, tlvs, layout.tlvs_at + tlv_info.total_size);
  return VerifyStatus::kOk;
}

VerifyStatus decrypt(std::span<std::uint8_t> image, const LoadRegion& region,
                     const crypto::P256PrivateKey& key) {
  Parsed parsed{};
  const VerifyStatus status = parse_whole(image, region, parsed);
  if (status != VerifyStatus::kOk || !is_encrypted(parsed.header)) return status;
  const auto payload_key = open_image_key(parsed.tlvs.encrypted_key.first<kEncryptedKeySize>(), key);
  if (!payload_key) return VerifyStatus::kBadEncryption;
  crypto::aes128_ctr(*payload_key, image.subspan(parsed.layout.payload_at, parsed.header.image_size));
  return VerifyStatus::kOk;
}

VerifyStatus verify(Bytes image, const Trust& trust, const LoadRegion& region, Info& info) {
  Parsed parsed{};
  VerifyStatus status = parse_whole(image, region, parsed);
  if (status != VerifyStatus::kOk) return status;
  status = check_signature(image.first(parsed.layout.tlvs_at), parsed.tlvs, trust);
  if (status != VerifyStatus::kOk) return status;
  info = make_info(parsed.header, parsed.tlvs, static_cast<std::uint32_t>(image.size()));
  return VerifyStatus::kOk;
}

const char* to_string(VerifyStatus status) {
  switch (status) {
    case VerifyStatus::kOk:
      return "ok";
    case VerifyStatus::kFlashError:
      return "flash-error";
    case VerifyStatus::kNoImage:
      return "no-image";
    case VerifyStatus::kBadHeader:
      return "bad-header";
    case VerifyStatus::kNotRamLoad:
      return "not-ram-load";
    case VerifyStatus::kWrongLoadAddress:
      return "wrong-load-address";
    case VerifyStatus::kBadSize:
      return "bad-size";
    case VerifyStatus::kBadTlv:
      return "bad-tlv";
    case VerifyStatus::kDuplicateTlv:
      return "duplicate-tlv";
    case VerifyStatus::kUnexpectedTlv:
      return "unexpected-tlv";
    case VerifyStatus::kMissingTlv:
      return "missing-tlv";
    case VerifyStatus::kHashMismatch:
      return "hash-mismatch";
    case VerifyStatus::kUnknownKey:
      return "unknown-key";
    case VerifyStatus::kBadSignature:
      return "bad-signature";
    case VerifyStatus::kWrongKind:
      return "wrong-kind";
    case VerifyStatus::kCounterTooLow:
      return "counter-too-low";
    case VerifyStatus::kCounterTooHigh:
      return "counter-too-high";
    case VerifyStatus::kNotOnRecord:
      return "not-on-record";
    case VerifyStatus::kRevokedKey:
      return "revoked-key";
    case VerifyStatus::kBadEncryption:
      return "bad-encryption";
  }
  return "unknown";
}

}  // namespace boot::image
