#include "pal_sim/pal/code_signer.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

namespace pal {
namespace {

class Certificate {
 public:
  Certificate() { mbedtls_x509_crt_init(&certificate_); }
  ~Certificate() { mbedtls_x509_crt_free(&certificate_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  /// `der` must outlive this object.
  bool parse(std::span<const std::uint8_t> der) {
    return mbedtls_x509_crt_parse_der_nocopy(&certificate_, der.data(), der.size()) == 0;
  }

  bool may_sign_code() const {
    const bool names_uses =
        mbedtls_x509_crt_has_ext_type(&certificate_, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
    return names_uses &&
           mbedtls_x509_crt_check_key_usage(&certificate_, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
           mbedtls_x509_crt_check_extended_key_usage(&certificate_, MBEDTLS_OID_CODE_SIGNING,
                                                     MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING)) == 0;
  }

  std::optional<crypto::P256PublicKey> key() const {
    if (mbedtls_pk_get_type(&certificate_.pk) != MBEDTLS_PK_ECKEY) return std::nullopt;
    const mbedtls_ecp_keypair* pair = mbedtls_pk_ec(certificate_.pk);
    if (mbedtls_ecp_keypair_get_group_id(pair) != MBEDTLS_ECP_DP_SECP256R1) return std::nullopt;
    crypto::P256PublicKey key;
    std::size_t size = 0;
    const int status =
        mbedtls_ecp_write_public_key(pair, MBEDTLS_ECP_PF_UNCOMPRESSED, &size, key.data(), key.size());
    if (status != 0 || size != key.size()) return std::nullopt;
    return key;
  }

 private:
  mbedtls_x509_crt certificate_;
};

}  // namespace

std::optional<crypto::P256PublicKey> code_signing_key(std::span<const std::uint8_t> der) {
  Certificate certificate;
  if (der.empty() || !certificate.parse(der) || !certificate.may_sign_code()) return std::nullopt;
  return certificate.key();
}

}  // namespace pal
