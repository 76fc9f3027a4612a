// A private key that can be used and not seen, and the one that mbedTLS signs with.
//
// mbedTLS is built without a signer of its own (MBEDTLS_ECDSA_SIGN_ALT): a TLS client that is asked to prove
// who it is gets its signature from the EcdsaSigner that was bound here, wherever that keeps its key. A pk
// context holds the public key alone.
//
//   crypto::bind_mbedtls_signer(&identity);    once, before the first handshake
//
// What can go wrong: nothing is bound, or the signer refuses; the handshake fails with
// MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE or MBEDTLS_ERR_ECP_INVALID_KEY then.
#pragma once

#include <array>
#include <cstdint>

#include "agent/crypto/crypto.h"

namespace crypto {

class EcdsaSigner {
 public:
  virtual ~EcdsaSigner() = default;

  /// Signs with ECDSA on P-256. @returns false if there is no key, or it may not be used
  [[nodiscard]] virtual bool sign(const Sha256Digest& digest, EcdsaSignature& out) = 0;
};

/// mbedTLS asks without a context: this is the signer it means. It must outlive all use of mbedTLS; null
/// unbinds.
void bind_mbedtls_signer(EcdsaSigner* signer);

}  // namespace crypto
