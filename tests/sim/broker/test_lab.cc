#include "tests/sim/broker/test_lab.h"

#include <stdexcept>

#include "sim/base/file_io.h"

namespace otasim::testing {

namespace {

using crypto::Certificate;
using crypto::P256Key;

void write(const std::string& path, const std::string& text) {
  if (const auto written = write_file_atomic(path, text, 0600); !written)
    throw std::runtime_error(written.error().message);
}

crypto::CertificateRequest authority_request() {
  crypto::CertificateRequest request;
  request.common_name = "test lab";
  request.purpose = crypto::Purpose::kAuthority;
  return request;
}

}  // namespace

TestLab::TestLab()
    : folder_(TempDir::create().value()),
      ca_key_(P256Key::generate().value()),
      ca_(Certificate::self_signed(authority_request(), ca_key_).value()),
      ca_path_(folder_.file("ca.pem")) {
  write(ca_path_, ca_.pem());
}

TestIdentity TestLab::issue(const std::string& name, crypto::Purpose purpose) {
  const auto key = P256Key::generate().value();
  const auto certificate = Certificate::issue({.common_name = name,
                                               .purpose = purpose,
                                               .dns_names = {"otasim.localhost", "localhost"},
                                               .ip_addresses = {"127.0.0.1"}},
                                              key, ca_, ca_key_)
                               .value();
  TestIdentity identity{file(name + ".pem"), file(name + ".key"), certificate.fingerprint()};
  write(identity.certificate_path, certificate.pem());
  write(identity.key_path, key.private_pem());
  return identity;
}

broker::BrokerSpec TestLab::broker_spec() {
  const TestIdentity endpoint = issue("endpoint", crypto::Purpose::kTlsServer);
  return {.folder = folder_.path().string(),
          .port = 0,
          .ca_path = ca_path_,
          .certificate_path = endpoint.certificate_path,
          .key_path = endpoint.key_path};
}

}  // namespace otasim::testing
