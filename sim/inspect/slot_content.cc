#include "sim/inspect/slot_content.h"

#include <fmt/format.h>

#include <algorithm>

#include "pal_sim/flash/flash_map.h"
#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

constexpr std::uint32_t kTlvHeaderSize = 4;

std::uint16_t u16_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] | (bytes[at + 1] << 8));
}

/// Lists an area's TLVs, its own header left out. An image that was parsed has sound ones; nothing here
/// relies on it.
void list_tlvs(std::span<const std::uint8_t> area, bool is_protected, std::vector<Tlv>& out) {
  if (area.size() < kTlvHeaderSize) return;
  auto rest = area.subspan(kTlvHeaderSize);
  while (rest.size() >= kTlvHeaderSize) {
    const Tlv tlv{.type = u16_at(rest, 0), .length = u16_at(rest, 2), .is_protected = is_protected};
    if (rest.size() - kTlvHeaderSize < tlv.length) return;
    out.push_back(tlv);
    rest = rest.subspan(kTlvHeaderSize + tlv.length);
  }
}

void verify(std::span<const std::uint8_t> slot, const Keys& keys, SlotContent& out) {
  if (keys.signers.empty()) {
    out.verify_problem = "not checked: no signer's key is at hand";
    return;
  }
  const crypto::P256Key* const decryption = keys.image_decryption ? &*keys.image_decryption : nullptr;
  for (const Signer& signer : keys.signers) {
    const auto verified = image::verify(slot, signer.key, decryption);
    if (verified) {
      out.signer = signer.name;
      out.verify_problem.clear();
      return;
    }
    // The key that the image names says most; the others only that it is not theirs.
    const bool is_named = out.image->key_hash == crypto::sha256(signer.key.public_der());
    if (is_named || out.verify_problem.empty()) out.verify_problem = verified.error().message;
  }
}

std::uint32_t count_erased_pages(std::span<const std::uint8_t> used) {
  std::uint32_t count = 0;
  for (std::size_t at = 0; at + flash::kPageSize <= used.size(); at += flash::kPageSize)
    count += is_erased(used.subspan(at, flash::kPageSize)) ? 1U : 0U;
  return count;
}

}  // namespace

SlotContent read_slot(std::span<const std::uint8_t> slot, std::uint32_t sector_size, const Keys& keys) {
  SlotContent content{.used_bytes = used_size(slot)};
  if (content.used_bytes == 0) return content;
  content.erased_pages_inside = count_erased_pages(slot.first(content.used_bytes));
  content.first_sector_is_erased = is_erased(slot.first(std::min<std::size_t>(sector_size, slot.size())));
  auto info = image::parse(slot);
  if (!info) {
    content.problem = info.error().message;
    return content;
  }
  content.image = std::move(*info);
  const std::size_t payload_end = std::size_t{content.image->header_size} + content.image->payload_size;
  list_tlvs(slot.subspan(payload_end, content.image->signed_size - payload_end), true, content.tlvs);
  list_tlvs(slot.subspan(content.image->signed_size, content.image->total_size - content.image->signed_size),
            false, content.tlvs);
  verify(slot, keys, content);
  return content;
}

std::string tlv_name(std::uint16_t type) {
  using namespace boot::image;  // NOLINT(google-build-using-namespace): the format's constants
  switch (type) {
    case kTlvKeyHash:
      return "key hash";
    case kTlvSha256:
      return "SHA-256";
    case kTlvEcdsaSignature:
      return "ECDSA signature";
    case kTlvEciesP256:
      return "ECIES-P256 key";
    case kTlvSecurityCounter:
      return "security counter";
    case kTlvImageKind:
      return "image kind";
    case kTlvRevokedKeys:
      return "revoked keys";
    default:
      return fmt::format("TLV {:#06x}", type);
  }
}

}  // namespace otasim::inspect
