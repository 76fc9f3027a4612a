#include "pal_sim/provisioning/stored_identity.h"

namespace provisioning {

void StoredIdentity::forget() {
  if (private_key_) crypto::wipe(*private_key_);
  private_key_.reset();
}

Status StoredIdentity::load(std::span<std::uint8_t> buffer, Settings& out) {
  forget();
  Status status = provisioning::load(flash_, device_key_, buffer, out);
  if (status == Status::kOk) {
    private_key_ = crypto::parse_p256_private_key(out.device_key);
    if (!private_key_) status = Status::kBadKey;
  }
  if (status != Status::kOk) {
    crypto::wipe(buffer);
    out = Settings{};
    return status;
  }
  const auto at = static_cast<std::size_t>(out.device_key.data() - buffer.data());
  crypto::wipe(buffer.subspan(at, out.device_key.size()));
  out.device_key = {};
  return status;
}

bool StoredIdentity::sign(const crypto::Sha256Digest& digest, crypto::EcdsaSignature& out) {
  if (!private_key_) return false;
  const auto signature = crypto::ecdsa_p256_sign(*private_key_, digest);
  if (!signature) return false;
  out = *signature;
  return true;
}

}  // namespace provisioning
