#include "tests/agent/boot/boot_oracle.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "agent/boot/slots.h"
#include "sim/base/temp_dir.h"
#include "sim/image/encryption.h"

namespace boot_test {
namespace {

using boot::image::Kind;

// The journal's record, byte by byte (agent/boot/boot_control.h, boot_state.h).
constexpr std::uint32_t kJournalMagic = 0x4F43'5442;
constexpr std::size_t kStateAt = 12;
constexpr std::size_t kCommittedAt = kStateAt + 8;
constexpr std::size_t kIdentitySize = 116;
constexpr std::size_t kStagedAt = kCommittedAt + kIdentitySize;
constexpr std::size_t kCrcAt = 252;
constexpr std::size_t kCounterInIdentity = 8;
constexpr std::size_t kDigestInIdentity = 16;
constexpr std::uint32_t kPagesOfSector = 16;
constexpr std::uint32_t kJournalDistance = 0x1'0000;  ///< from the one sector to the other

// The OTP bank (agent/boot/security_counter.h, key_revocation.h).
constexpr std::size_t kFloorBytes = 480;
constexpr std::size_t kRevocationAt = 960;
constexpr std::uint32_t kHighestCounter = 960;

std::uint32_t u32(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

/// CRC-32 of IEEE 802.3, bit by bit.
std::uint32_t crc(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0xFFFF'FFFF;
  for (const std::uint8_t byte : bytes) {
    value ^= byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xEDB8'8320U : 0U);
  }
  return ~value;
}

Digest digest_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  Digest digest;
  std::ranges::copy(bytes.subspan(at, digest.size()), digest.begin());
  return digest;
}

std::uint32_t cleared_bits(std::span<const std::uint8_t> bytes) {
  std::uint32_t count = 0;
  for (const std::uint8_t byte : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) count += (byte >> bit & 1U) == 0 ? 1 : 0;
  }
  return count;
}

}  // namespace

otasim::crypto::P256Key host_key(const SigningKey& key) {
  const auto folder = otasim::TempDir::create();
  if (!folder) throw std::runtime_error(folder.error().message);
  const std::string path = folder->file("key.pem");
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) throw std::runtime_error("cannot write " + path);
  const bool written = PEM_write_PrivateKey(file, key.key(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (std::fclose(file) != 0 || !written) throw std::runtime_error("cannot write " + path);
  auto loaded = otasim::crypto::P256Key::load_private(path);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

Oracle::Oracle(flash::ConstWindow window, const std::vector<const SigningKey*>& signers,
               const SigningKey& recipient, std::uint32_t load_memory)
    : window_(window), recipient_(host_key(recipient)), load_memory_(load_memory) {
  for (const SigningKey* signer : signers) signers_.push_back(host_key(*signer));
}

std::optional<JournalEntry> Oracle::journal() const {
  std::optional<JournalEntry> found;
  for (std::uint32_t page = 0; page < 2 * kPagesOfSector; ++page) {
    const auto bytes =
        window_.subspan(page / kPagesOfSector * kJournalDistance + page % kPagesOfSector * flash::kPageSize,
                        flash::kPageSize);
    if (u32(bytes, 0) != kJournalMagic || bytes[8] != 1 || bytes[9] != 0) continue;
    const std::uint32_t sequence = u32(bytes, 4);
    if (sequence % (2 * kPagesOfSector) != page) continue;
    if (found && sequence < found->sequence) continue;
    if (u32(bytes, kCrcAt) != crc(bytes.first(kCrcAt))) continue;
    found = JournalEntry{.sequence = sequence,
                         .committed_slot = static_cast<boot::Slot>(bytes[kStateAt]),
                         .staged_slot = static_cast<boot::Slot>(bytes[kStateAt + 1]),
                         .staged_state = bytes[kStateAt + 2],
                         .attempts = bytes[kStateAt + 3],
                         .committed_counter = u32(bytes, kCommittedAt + kCounterInIdentity),
                         .committed_digest = digest_at(bytes, kCommittedAt + kDigestInIdentity),
                         .staged_counter = u32(bytes, kStagedAt + kCounterInIdentity),
                         .staged_digest = digest_at(bytes, kStagedAt + kDigestInIdentity)};
  }
  return found;
}

std::uint32_t Oracle::floor(Kind kind) const {
  const std::size_t bank = kind == Kind::kRecovery ? kFloorBytes : 0;
  std::uint32_t floor = 0;
  for (const std::uint8_t byte : window_.subspan(flash::kOtpOffset + bank, kFloorBytes)) {
    for (const unsigned half : {byte & 0x0FU, unsigned{byte} >> 4U})
      floor += std::popcount(half) <= 1 ? 1U : 0U;
  }
  return floor;
}

std::uint32_t Oracle::revoked() const {
  std::uint32_t revoked = 0;
  for (std::size_t signer = 0; signer < signers_.size(); ++signer) {
    const auto bits = window_.subspan(flash::kOtpOffset + kRevocationAt + 2 * signer, 2);
    if (cleared_bits(bits) >= 8) revoked |= 1U << signer;
  }
  return revoked;
}

const GenuineImage* Oracle::startable(boot::Slot slot) const {
  const std::optional<GenuineImage>& image = genuine(slot);
  if (!image) return nullptr;
  const Kind kind = slot == boot::Slot::kRecovery ? Kind::kRecovery : Kind::kApplication;
  if (image->kind != static_cast<std::uint32_t>(kind)) return nullptr;
  if ((revoked() & 1U << image->signer) != 0 || (image->revoked_keys & 1U << image->signer) != 0)
    return nullptr;
  if (image->counter < floor(kind) || image->counter > kHighestCounter) return nullptr;
  return &*image;
}

const std::optional<GenuineImage>& Oracle::genuine(boot::Slot slot) const {
  const auto bytes = window_.subspan(boot::slot_partition(slot)->offset, load_memory_);
  const Bytes name = otasim::crypto::sha256(bytes);
  const auto known = verified_.find(name);
  return known != verified_.end() ? known->second : verified_.emplace(name, verify(bytes)).first->second;
}

std::optional<GenuineImage> Oracle::verify(std::span<const std::uint8_t> bytes) const {
  for (std::uint32_t signer = 0; signer < signers_.size(); ++signer) {
    const auto info = otasim::image::verify(bytes, signers_[signer], &recipient_);
    if (!info) continue;
    if (info->load_address != kLoadAddress || (info->flags & boot::image::kFlagRamLoad) == 0) continue;
    GenuineImage image{.signer = signer,
                       .counter = *info->security_counter,
                       .kind = info->kind.value_or(0),
                       .revoked_keys = info->revoked_keys.value_or(0),
                       .digest = digest_at(*info->sha256, 0),
                       .plain = Bytes(bytes.begin(), bytes.begin() + info->total_size)};
    if (info->is_encrypted()) {
      const auto payload = std::span(image.plain).subspan(info->header_size, info->payload_size);
      if (!otasim::image::decrypt_payload(payload, *info->encrypted_key, recipient_)) continue;
    }
    return image;
  }
  return std::nullopt;
}

}  // namespace boot_test
