#include "sim/crypto/certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace otasim::crypto {
namespace {

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool ok = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

bool set_usage(X509* certificate, X509* issuer, Purpose purpose) {
  const auto add = [&](int nid, const char* value) { return add_extension(certificate, issuer, nid, value); };
  if (purpose == Purpose::kAuthority) {
    return add(NID_basic_constraints, "critical,CA:TRUE") &&
           add(NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  const char* extended = purpose == Purpose::kTlsServer   ? "serverAuth"
                         : purpose == Purpose::kTlsClient ? "clientAuth"
                                                          : "codeSigning";
  return add(NID_basic_constraints, "critical,CA:FALSE") && add(NID_key_usage, "critical,digitalSignature") &&
         add(NID_ext_key_usage, extended);
}

std::string alternative_names(const CertificateRequest& request) {
  std::string names;
  for (const std::string& dns : request.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + dns;
  for (const std::string& ip : request.ip_addresses) names += (names.empty() ? "IP:" : ",IP:") + ip;
  return names;
}

bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7F;  // serial numbers are positive
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  const bool ok =
      number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return ok;
}

bool set_time(ASN1_TIME* time, std::optional<std::int64_t> epoch_seconds, long from_now) {
  if (epoch_seconds) return ASN1_TIME_set(time, *epoch_seconds) != nullptr;
  return X509_gmtime_adj(time, from_now) != nullptr;
}

bool fill(X509* certificate, const CertificateRequest& request, EVP_PKEY* key, X509* issuer) {
  constexpr long kSecondsPerDay = 86400;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  const std::string names = alternative_names(request);
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate) &&
         // A day back: the machine's clock may be a little ahead of another's.
         set_time(X509_getm_notBefore(certificate), request.valid_from, -kSecondsPerDay) &&
         set_time(X509_getm_notAfter(certificate), request.valid_until,
                  kSecondsPerDay * request.valid_days) &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_set_pubkey(certificate, key) == 1 && set_usage(certificate, issuer, request.purpose) &&
         add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         (names.empty() || add_extension(certificate, issuer, NID_subject_alt_name, names));
}

}  // namespace

Result<Certificate> Certificate::build(const CertificateRequest& request, EVP_PKEY* key, X509* issuer,
                                       const P256Key& issuer_key) {
  Certificate certificate(X509_new());
  X509* x509 = certificate.get();
  if (x509 == nullptr || !fill(x509, request, key, issuer != nullptr ? issuer : x509) ||
      X509_sign(x509, issuer_key.get(), EVP_sha256()) == 0) {
    return fail(ExitCode::kInternal,
                fmt::format("cannot issue the certificate '{}': {}", request.common_name, openssl_reason()));
  }
  return certificate;
}

Result<Certificate> Certificate::issue(const CertificateRequest& request, const P256Key& key,
                                       const Certificate& issuer, const P256Key& issuer_key) {
  return build(request, key.get(), issuer.get(), issuer_key);
}

Result<Certificate> Certificate::issue_for(const CertificateRequest& request, EVP_PKEY* key,
                                           const Certificate& issuer, const P256Key& issuer_key) {
  return build(request, key, issuer.get(), issuer_key);
}

Result<Certificate> Certificate::self_signed(const CertificateRequest& request, const P256Key& key) {
  return build(request, key.get(), nullptr, key);
}

Result<Certificate> Certificate::from_pem(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* x509 = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  if (x509 == nullptr) return fail(ExitCode::kUsage, "not a PEM certificate: " + openssl_reason());
  return Certificate(x509);
}

Result<Certificate> Certificate::from_der(std::span<const std::uint8_t> der) {
  const unsigned char* at = der.data();
  X509* x509 = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  if (x509 == nullptr) return fail(ExitCode::kUsage, "not a DER certificate: " + openssl_reason());
  return Certificate(x509);
}

bool Certificate::belongs_to(const P256Key& key) const {
  const bool belongs = X509_check_private_key(get(), key.get()) == 1;
  ERR_clear_error();
  return belongs;
}

bool Certificate::is_issued_by(const Certificate& issuer) const {
  const bool is_issued =
      X509_NAME_cmp(X509_get_issuer_name(get()), X509_get_subject_name(issuer.get())) == 0 &&
      X509_verify(get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return is_issued;
}

Bytes Certificate::der() const {
  unsigned char* der = nullptr;
  const int length = i2d_X509(get(), &der);
  Bytes out(der, der + (length > 0 ? length : 0));
  OPENSSL_free(der);
  return out;
}

std::string Certificate::pem() const {
  BIO* memory = BIO_new(BIO_s_mem());
  std::string out;
  if (PEM_write_bio_X509(memory, get()) == 1) {
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory, &text);
    out.assign(text, static_cast<std::size_t>(length));
  }
  BIO_free(memory);
  return out;
}

std::string Certificate::fingerprint() const {
  return hex(sha256(der()));
}

std::optional<std::int64_t> epoch_seconds(const ASN1_TIME* time) {
  std::tm civil{};
  if (ASN1_TIME_to_tm(time, &civil) != 1) return std::nullopt;
  return timegm(&civil);
}

}  // namespace otasim::crypto
