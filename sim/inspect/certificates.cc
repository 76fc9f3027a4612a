#include "sim/inspect/certificates.h"

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <memory>

#include "sim/crypto/certificate.h"
#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return "unreadable";
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return printable({data, static_cast<std::size_t>(size)});
}

}  // namespace

CertificateText read_certificate(std::string role, std::span<const std::uint8_t> der) {
  CertificateText text{.role = std::move(role)};
  const auto certificate = crypto::Certificate::from_der(der);
  if (!certificate) {
    text.problem = certificate.error().message;
    return text;
  }
  const X509* const x509 = certificate->get();
  text.subject = name_text(X509_get_subject_name(x509));
  text.issuer = name_text(X509_get_issuer_name(x509));
  text.not_before = crypto::epoch_seconds(X509_get0_notBefore(x509));
  text.not_after = crypto::epoch_seconds(X509_get0_notAfter(x509));
  text.fingerprint = certificate->fingerprint();
  return text;
}

}  // namespace otasim::inspect
