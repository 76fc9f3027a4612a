#include <mbedtls/ecdsa.h>
#include <mbedtls/platform.h>

#include <algorithm>

#include "agent/crypto/ecdsa_signer.h"

namespace crypto {
namespace {

EcdsaSigner* bound = nullptr;

}  // namespace

void bind_mbedtls_signer(EcdsaSigner* signer) {
  bound = signer;
}

}  // namespace crypto

/// Replaces mbedTLS's own: the group and the private value of the context are not looked at.
extern "C" int mbedtls_ecdsa_sign(mbedtls_ecp_group* group, mbedtls_mpi* r, mbedtls_mpi* s,
                                  const mbedtls_mpi* /*d*/, const unsigned char* hash, std::size_t hash_size,
                                  int (*)(void*, unsigned char*, std::size_t), void* /*random_context*/) {
  crypto::Sha256Digest digest;
  if (crypto::bound == nullptr || group->id != MBEDTLS_ECP_DP_SECP256R1 || hash_size != digest.size())
    return MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE;
  std::copy_n(hash, hash_size, digest.begin());
  crypto::EcdsaSignature signature;
  if (!crypto::bound->sign(digest, signature)) return MBEDTLS_ERR_ECP_INVALID_KEY;
  constexpr std::size_t kHalf = signature.size() / 2;
  const int status = mbedtls_mpi_read_binary(r, signature.data(), kHalf);
  return status != 0 ? status : mbedtls_mpi_read_binary(s, signature.data() + kHalf, kHalf);
}
