// The identity that provisioning in flash holds. The private key is taken out of the settings when they are
// loaded, stays in this object, and is given to nobody.
#pragma once

#include <array>
#include <optional>

#include "pal_sim/provisioning/identity.h"

namespace provisioning {

class StoredIdentity final : public Identity {
 public:
  /// @param device_key  what provisioning is sealed with; must outlive this object, as `flash` must
  StoredIdentity(flash::FlashDriver& flash, DeviceKey device_key) : flash_(flash), device_key_(device_key) {}
  StoredIdentity(const StoredIdentity&) = delete;
  StoredIdentity& operator=(const StoredIdentity&) = delete;
  ~StoredIdentity() override { forget(); }

  /// As Identity::load(). Whatever else comes of it than kOk, `buffer` holds nothing of what was sealed.
  [[nodiscard]] Status load(std::span<std::uint8_t> buffer, Settings& out) override;
  [[nodiscard]] bool sign(const crypto::Sha256Digest& digest, crypto::EcdsaSignature& out) override;

 private:
  void forget();

  flash::FlashDriver& flash_;
  DeviceKey device_key_;
  std::optional<crypto::P256PrivateKey> private_key_;
};

}  // namespace provisioning
