#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/sha256.h>

#include <new>

#include "agent/crypto/crypto.h"

namespace crypto {
namespace {

mbedtls_sha256_context* context_in(std::array<std::uint8_t, 160>& state) {
  static_assert(sizeof(mbedtls_sha256_context) <= sizeof(state));
  return std::launder(reinterpret_cast<mbedtls_sha256_context*>(state.data()));
}

/// Releases the multi-precision numbers of one verification, whichever way it ends.
struct EcdsaNumbers {
  mbedtls_ecp_group group;
  mbedtls_ecp_point point;
  mbedtls_mpi r;
  mbedtls_mpi s;

  EcdsaNumbers() {
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
  }
  ~EcdsaNumbers() {
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
  }
  EcdsaNumbers(const EcdsaNumbers&) = delete;
  EcdsaNumbers& operator=(const EcdsaNumbers&) = delete;
};

/// Takes one DER INTEGER that is positive and has no needless leading zero.
bool take_positive_integer(unsigned char** at, const unsigned char* end, mbedtls_mpi* out) {
  std::size_t length = 0;
  if (mbedtls_asn1_get_tag(at, end, &length, MBEDTLS_ASN1_INTEGER) != 0) return false;
  if (length == 0 || length > 33) return false;
  const unsigned char* bytes = *at;
  if ((bytes[0] & 0x80U) != 0) return false;
  if (bytes[0] == 0 && (length == 1 || (bytes[1] & 0x80U) == 0)) return false;
  *at += length;
  return mbedtls_mpi_read_binary(out, bytes, length) == 0;
}

}  // namespace

Sha256::Sha256() : state_{} {
  auto* context = new (state_.data()) mbedtls_sha256_context;
  mbedtls_sha256_init(context);
  // Fails only for an unknown variant; 0 means SHA-256.
  static_cast<void>(mbedtls_sha256_starts(context, 0));
}

Sha256::~Sha256() {
  mbedtls_sha256_free(context_in(state_));
}

void Sha256::update(std::span<const std::uint8_t> data) {
  if (data.empty()) return;
  static_cast<void>(mbedtls_sha256_update(context_in(state_), data.data(), data.size()));
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  static_cast<void>(mbedtls_sha256_finish(context_in(state_), digest.data()));
  return digest;
}

Sha256Digest sha256(std::span<const std::uint8_t> data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

bool ecdsa_p256_verify(const P256PublicKey& key, const Sha256Digest& digest,
                       std::span<const std::uint8_t> der_signature) {
  if (der_signature.empty() || der_signature.size() > 72) return false;
  EcdsaNumbers n;
  // mbedTLS's ASN.1 reader takes a pointer to non-const but does not write.
  auto* at = const_cast<unsigned char*>(der_signature.data());
  const unsigned char* end = at + der_signature.size();
  std::size_t length = 0;
  if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0)
    return false;
  if (at + length != end) return false;
  // Below 128 bytes DER has one length byte only: 0x30, length, contents.
  if (der_signature.size() != length + 2) return false;
  if (!take_positive_integer(&at, end, &n.r) || !take_positive_integer(&at, end, &n.s) || at != end)
    return false;
  if (mbedtls_ecp_group_load(&n.group, MBEDTLS_ECP_DP_SECP256R1) != 0) return false;
  if (mbedtls_ecp_point_read_binary(&n.group, &n.point, key.data(), key.size()) != 0) return false;
  if (mbedtls_ecp_check_pubkey(&n.group, &n.point) != 0) return false;
  return mbedtls_ecdsa_verify(&n.group, digest.data(), digest.size(), &n.point, &n.r, &n.s) == 0;
}

bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace crypto
