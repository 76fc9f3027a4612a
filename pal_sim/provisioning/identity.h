// Who the device is: its settings, which are no secret, and a private key that it proves itself with.
//
// Implemented over flash and the device key where the application runs in one world with them
// (stored_identity.h), and by the secure world's gateway on boards with TrustZone, where the key is out of
// the application's reach. load() once, then sign() as often as TLS asks.
#pragma once

#include <span>

#include "agent/crypto/ecdsa_signer.h"
#include "pal_sim/provisioning/provisioning.h"

namespace provisioning {

class Identity : public crypto::EcdsaSigner {
 public:
  /// Reads the settings into `buffer` (at least kMaxBlobSize bytes), which `out` views from then on. The
  /// private key is not among them: `out.device_key` is empty, and where it stood in `buffer` there are
  /// zeros.
  /// @returns kOk, kFlashError, kNotFound, kIncomplete, kBadKey
  [[nodiscard]] virtual Status load(std::span<std::uint8_t> buffer, Settings& out) = 0;
};

}  // namespace provisioning
