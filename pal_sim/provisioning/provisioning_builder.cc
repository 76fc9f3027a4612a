#include "pal_sim/provisioning/provisioning_builder.h"

#include <array>

namespace provisioning {
namespace {

void put_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}

void put_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  put_u16(out, static_cast<std::uint16_t>(value));
  put_u16(out, static_cast<std::uint16_t>(value >> 16));
}

}  // namespace

Builder& Builder::add(Tag tag, std::span<const std::uint8_t> value) {
  if (value.size() > 0xFFFF || count_ == kMaxEntries) {
    is_too_large_ = true;
    return *this;
  }
  put_u16(body_, tag);
  put_u16(body_, static_cast<std::uint16_t>(value.size()));
  body_.insert(body_.end(), value.begin(), value.end());
  ++count_;
  return *this;
}

Builder& Builder::add_text(Tag tag, std::string_view value) {
  return add(tag, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

Builder& Builder::add_u8(Tag tag, std::uint8_t value) {
  return add(tag, {&value, 1});
}

Builder& Builder::add_u16(Tag tag, std::uint16_t value) {
  std::vector<std::uint8_t> bytes;
  put_u16(bytes, value);
  return add(tag, bytes);
}

Builder& Builder::add_u32(Tag tag, std::uint32_t value) {
  std::vector<std::uint8_t> bytes;
  put_u32(bytes, value);
  return add(tag, bytes);
}

Builder& Builder::add_transfer(const TransferSettings& transfer) {
  if (transfer.block_size) add_u32(kTagBlockSize, *transfer.block_size);
  if (transfer.blocks_per_request) add_u16(kTagBlocksPerRequest, *transfer.blocks_per_request);
  if (transfer.blocks_in_flight) add_u16(kTagBlocksInFlight, *transfer.blocks_in_flight);
  if (transfer.protocols) {
    const std::array<std::uint8_t, 2> value{transfer.protocols->enabled, transfer.protocols->primary};
    add(kTagDataProtocols, value);
  }
  if (transfer.stream_format) add_u8(kTagStreamFormat, static_cast<std::uint8_t>(*transfer.stream_format));
  if (transfer.start_next) add_u8(kTagStartNext, *transfer.start_next ? 1 : 0);
  if (transfer.max_request_momentum) add_u32(kTagMaxRequestMomentum, *transfer.max_request_momentum);
  if (transfer.status_frequency) add_u32(kTagStatusFrequency, *transfer.status_frequency);
  return *this;
}

Builder& Builder::add_code_signer(std::string_view name, std::span<const std::uint8_t> certificate) {
  if (name.size() > 0xFF) {
    is_too_large_ = true;
    return *this;
  }
  std::vector<std::uint8_t> value{static_cast<std::uint8_t>(name.size())};
  value.insert(value.end(), name.begin(), name.end());
  value.insert(value.end(), certificate.begin(), certificate.end());
  return add(kTagCodeSigner, value);
}

std::vector<std::uint8_t> Builder::build(std::uint32_t sequence, DeviceKey key, Nonce nonce) const {
  if (is_too_large_ || kHeaderSize + body_.size() + kSealTagSize > kMaxBlobSize) return {};
  std::vector<std::uint8_t> blob;
  put_u32(blob, kMagic);
  put_u32(blob, kFormat);
  put_u32(blob, sequence);
  put_u32(blob, static_cast<std::uint32_t>(body_.size()));
  blob.insert(blob.end(), nonce.begin(), nonce.end());
  blob.insert(blob.end(), body_.begin(), body_.end());
  std::array<std::uint8_t, kSealTagSize> tag{};
  const auto header = std::span(blob).first(kHeaderSize);
  if (!seal(key, nonce, header, std::span(blob).subspan(kHeaderSize), tag)) return {};
  blob.insert(blob.end(), tag.begin(), tag.end());
  return blob;
}

}  // namespace provisioning
