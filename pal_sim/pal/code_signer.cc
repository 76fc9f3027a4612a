#include "pal_sim/pal/code_signer.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>

#include <algorithm>

namespace pal {
namespace {

constexpr std::size_t kMinRsaBits = 2048;

/// What a root may have signed a code signer's certificate with.
const mbedtls_x509_crt_profile kIssuerProfile{
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
    .allowed_pks = 0x0FFF'FFFF,
    .allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1),
    .rsa_min_bitlen = kMinRsaBits,
};

/// @param certificate  refers to `der` afterwards
SignerStatus parse(mbedtls_x509_crt& certificate, std::span<const std::uint8_t> der) {
  constexpr int kHighLevelError = 0xFF80;  // of mbedTLS's joined error codes, which are negative
  const int error = mbedtls_x509_crt_parse_der_nocopy(&certificate, der.data(), der.size());
  if (error == 0) {
    return certificate.raw.len == der.size() ? SignerStatus::kOk : SignerStatus::kUnreadable;
  }
  switch (-(-error & kHighLevelError)) {
    case MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG:
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
    case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE:
      return SignerStatus::kUnsupportedKey;
    default:
      return SignerStatus::kUnreadable;
  }
}

bool is_authority(const mbedtls_x509_crt& certificate) {
  return mbedtls_x509_crt_get_ca_istrue(&certificate) == 1;
}

bool names(const mbedtls_x509_crt& certificate, int extension) {
  return mbedtls_x509_crt_has_ext_type(&certificate, extension) != 0;
}

bool may_sign_code(const mbedtls_x509_crt& certificate) {
  return !is_authority(certificate) && names(certificate, MBEDTLS_X509_EXT_KEY_USAGE) &&
         names(certificate, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) &&
         mbedtls_x509_crt_check_key_usage(&certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
         mbedtls_x509_crt_check_extended_key_usage(&certificate, MBEDTLS_OID_CODE_SIGNING,
                                                   MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING)) == 0;
}

bool may_issue(const mbedtls_x509_crt& certificate) {
  return is_authority(certificate) && names(certificate, MBEDTLS_X509_EXT_KEY_USAGE) &&
         mbedtls_x509_crt_check_key_usage(&certificate, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

#ifdef OTASIM_PAL_RSA
constexpr std::size_t kMaxRsaBits = 3072;  // a Sig_t holds no longer signature

bool is_supported(const mbedtls_pk_context& key) {
  const std::size_t bits = mbedtls_pk_get_bitlen(&key);
  return mbedtls_pk_get_type(&key) == MBEDTLS_PK_RSA && bits >= kMinRsaBits && bits <= kMaxRsaBits;
}

bool verify(mbedtls_pk_context& key, const crypto::Sha256Digest& digest,
            std::span<const std::uint8_t> signature) {
  return mbedtls_pk_verify(&key, MBEDTLS_MD_SHA256, digest.data(), digest.size(), signature.data(),
                           signature.size()) == 0;
}
#else
bool is_supported(const mbedtls_pk_context& key) {
  return mbedtls_pk_get_type(&key) == MBEDTLS_PK_ECKEY;  // P-256 is the only curve compiled in
}

bool verify(mbedtls_pk_context& key, const crypto::Sha256Digest& digest,
            std::span<const std::uint8_t> signature) {
  // Zeroes, which would stay if the point could not be written, are no point on the curve.
  crypto::P256PublicKey point{};
  std::size_t size = 0;
  static_cast<void>(mbedtls_ecp_write_public_key(mbedtls_pk_ec(key), MBEDTLS_ECP_PF_UNCOMPRESSED, &size,
                                                 point.data(), point.size()));
  return crypto::ecdsa_p256_verify(point, digest, signature) == crypto::Verdict::kYes;
}
#endif

/// mbedTLS compares dates with whatever clock there is; here they are not asked (code_signer.h).
int ignore_dates(void* /*context*/, mbedtls_x509_crt* /*certificate*/, int /*depth*/,
                 std::uint32_t* problems) {
  *problems &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  return 0;
}

/// Whether `root` issued `certificate`, which is no root itself.
SignerStatus check_issuer(mbedtls_x509_crt& certificate, mbedtls_x509_crt& root) {
  if (!may_issue(root)) return SignerStatus::kBadRoot;
  std::uint32_t problems = 0;  // which ones, is not asked
  const int error = mbedtls_x509_crt_verify_with_profile(&certificate, &root, nullptr, &kIssuerProfile,
                                                         nullptr, &problems, ignore_dates, nullptr);
  return error == 0 ? SignerStatus::kOk : SignerStatus::kNotIssuedByRoot;
}

SignerStatus authenticate(mbedtls_x509_crt& certificate, std::span<const std::uint8_t> root_der) {
  const std::span der(certificate.raw.p, certificate.raw.len);
  if (std::ranges::equal(der, root_der)) return SignerStatus::kOk;  // pinned
  mbedtls_x509_crt root;
  mbedtls_x509_crt_init(&root);
  SignerStatus status =
      parse(root, root_der) == SignerStatus::kOk ? SignerStatus::kOk : SignerStatus::kBadRoot;
  if (status == SignerStatus::kOk) status = check_issuer(certificate, root);
  mbedtls_x509_crt_free(&root);
  return status;
}

}  // namespace

CodeSigner::CodeSigner() {
  mbedtls_x509_crt_init(&certificate_);
}

CodeSigner::~CodeSigner() {
  mbedtls_x509_crt_free(&certificate_);
}

SignerStatus CodeSigner::open(std::span<const std::uint8_t> certificate, std::span<const std::uint8_t> root) {
  if (certificate.empty()) return SignerStatus::kNotFound;
  if (const SignerStatus status = parse(certificate_, certificate); status != SignerStatus::kOk) {
    return status;
  }
  if (!is_supported(certificate_.pk)) return SignerStatus::kUnsupportedKey;
  if (!may_sign_code(certificate_)) return SignerStatus::kNotCodeSigner;
  const SignerStatus status = authenticate(certificate_, root);
  is_authentic_ = status == SignerStatus::kOk;
  return status;
}

bool CodeSigner::verifies(const crypto::Sha256Digest& digest, std::span<const std::uint8_t> signature) {
  return is_authentic_ && verify(certificate_.pk, digest, signature);
}

}  // namespace pal
