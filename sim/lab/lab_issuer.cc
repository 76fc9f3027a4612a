#include "sim/lab/lab_issuer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

namespace otasim::lab {

namespace {

constexpr unsigned int kRsaBits = 2048;
/// What AWS names the subject of a certificate for a key that it made.
constexpr const char* kCommonName = "AWS IoT Certificate";

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeRequest {
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Bio = std::unique_ptr<BIO, FreeBio>;

tl::unexpected<Error> failed(const char* what) {
  return fail(ExitCode::kInternal, std::string(what) + ": " + crypto::openssl_reason());
}

std::string text_of(BIO* memory) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory, &text);
  return {text, static_cast<std::size_t>(length)};
}

crypto::CertificateRequest request_for(std::string common_name) {
  return {.common_name = std::move(common_name), .dns_names = {}, .ip_addresses = {}};
}

/// The subject's common name, or the one that AWS would give.
std::string common_name_of(X509_REQ* request) {
  constexpr int kMaxName = 64;
  char name[kMaxName + 1] = {};
  const int length =
      X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, name, sizeof name);
  return length > 0 ? std::string(name) : std::string(kCommonName);
}

}  // namespace

Result<rest::CertificateIssuer::Issued> LabIssuer::issue_with_key() {
  const Key key(EVP_RSA_gen(kRsaBits));
  if (!key) return failed("cannot make a key");
  const auto certificate = crypto::Certificate::issue_for(request_for(kCommonName), key.get(),
                                                          lab_.authority().certificate, lab_.authority().key);
  if (!certificate) return tl::unexpected(certificate.error());
  const Bio open(BIO_new(BIO_s_mem()));
  const Bio secret(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(open.get(), key.get()) != 1 ||
      PEM_write_bio_PrivateKey_traditional(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return failed("cannot write a key");
  }
  return Issued{certificate->pem(), text_of(open.get()), text_of(secret.get())};
}

Result<rest::CertificateIssuer::Issued> LabIssuer::issue_for_request(const std::string& csr_pem) {
  const Bio memory(BIO_new_mem_buf(csr_pem.data(), static_cast<int>(csr_pem.size())));
  const std::unique_ptr<X509_REQ, FreeRequest> request(
      PEM_read_bio_X509_REQ(memory.get(), nullptr, nullptr, nullptr));
  if (!request) {
    ERR_clear_error();
    return fail(ExitCode::kUsage, "The certificate signing request cannot be read.");
  }
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  // Whoever asks must have the key's private half.
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return fail(ExitCode::kUsage, "The certificate signing request is not signed by its key.");
  }
  const auto certificate = crypto::Certificate::issue_for(request_for(common_name_of(request.get())), key,
                                                          lab_.authority().certificate, lab_.authority().key);
  if (!certificate) return tl::unexpected(certificate.error());
  return Issued{certificate->pem()};
}

}  // namespace otasim::lab
