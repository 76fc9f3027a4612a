// Builds a provisioning blob: the factory's side of provisioning.h. Host only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pal_sim/provisioning/provisioning.h"

namespace provisioning {

/// Collects entries, then seals them into a blob. Entries keep their order.
class Builder {
 public:
  Builder& add(Tag tag, std::span<const std::uint8_t> value);
  Builder& add_text(Tag tag, std::string_view value);
  Builder& add_u8(Tag tag, std::uint8_t value);
  Builder& add_u16(Tag tag, std::uint16_t value);
  Builder& add_u32(Tag tag, std::uint32_t value);
  /// An entry for each value that is set.
  Builder& add_transfer(const TransferSettings& transfer);
  Builder& add_code_signer(std::string_view name, std::span<const std::uint8_t> certificate);

  /// @param nonce  12 random bytes, new ones for each blob
  /// @returns the blob, empty if an entry or the whole exceeds the format's limits.
  [[nodiscard]] std::vector<std::uint8_t> build(std::uint32_t sequence, DeviceKey key, Nonce nonce) const;

  /// What build() seals: the entries so far, in clear.
  [[nodiscard]] std::span<const std::uint8_t> body() const { return body_; }

 private:
  std::vector<std::uint8_t> body_;
  std::uint32_t count_ = 0;
  bool is_too_large_ = false;
};

}  // namespace provisioning
