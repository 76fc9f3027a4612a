#include "tests/pal_sim/pal/code_signer_for_tests.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string_view>

namespace pal_test {
namespace {

constexpr long kDay = 24L * 60 * 60;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

EVP_PKEY* make_key(const std::string& kind) {
  constexpr std::string_view kRsa = "RSA-";
  if (!kind.starts_with(kRsa)) return EVP_EC_gen(kind.c_str());
  return EVP_RSA_gen(static_cast<unsigned>(std::stoul(kind.substr(kRsa.size()))));
}

void set_name(X509_NAME* out, const std::string& name) {
  X509_NAME_add_entry_by_txt(out, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()),
                             -1, -1, 0);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  if (value.empty()) return;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  require(extension != nullptr, "cannot make a certificate extension");
  const int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  require(added == 1, "cannot add a certificate extension");
}

/// @param issuer_key  signs it
Bytes make_certificate(const CertificateSpec& spec, EVP_PKEY* key, const std::string& issuer,
                       EVP_PKEY* issuer_key) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509* x509 = certificate.get();
  require(x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1, "cannot make a certificate");
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(x509), spec.is_expired ? -kDay : kDay);
  set_name(X509_get_subject_name(x509), spec.name);
  set_name(X509_get_issuer_name(x509), issuer);
  X509_set_pubkey(x509, key);
  add_extension(x509, NID_basic_constraints, spec.basic_constraints);
  add_extension(x509, NID_key_usage, spec.key_usage);
  add_extension(x509, NID_ext_key_usage, spec.extended_key_usage);
  require(X509_sign(x509, issuer_key, EVP_get_digestbyname(spec.digest.c_str())) > 0,
          "cannot sign a certificate");
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509, &der);
  require(size > 0, "cannot encode a certificate");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

CertificateSpec authority_spec() {
  return {.key = "P-256",
          .name = "root",
          .basic_constraints = "critical,CA:TRUE",
          .key_usage = "critical,keyCertSign,cRLSign",
          .extended_key_usage = ""};
}

const CodeSigner& CodeSigner::root() {
  static const CodeSigner root(authority_spec(), nullptr);
  return root;
}

CodeSigner::CodeSigner(const CertificateSpec& spec, const CodeSigner* issuer)
    : key_(make_key(spec.key), &EVP_PKEY_free), name_(spec.name) {
  require(key_ != nullptr, "cannot make a key");
  certificate_ = make_certificate(spec, key_.get(), issuer != nullptr ? issuer->name_ : name_,
                                  issuer != nullptr ? issuer->key_.get() : key_.get());
}

Bytes CodeSigner::sign(std::span<const std::uint8_t> data) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::size_t size = 0;
  require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) == 1,
          "cannot prepare a signature");
  Bytes signature(size);
  require(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) == 1,
          "cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace pal_test
