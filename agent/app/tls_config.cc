#include "agent/app/tls_config.h"

#include "agent/app/random.h"

namespace app {

bool TlsConfig::init(const TlsCredentials& credentials) {
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&root_ca_);
  mbedtls_x509_crt_init(&certificate_);
  mbedtls_pk_init(&key_);

  const auto& [root, certificate, key] = credentials;
  int status = mbedtls_x509_crt_parse_der_nocopy(&root_ca_, root.data(), root.size());
  if (status != 0) return fail("the provisioned root certificate cannot be read", status);
  status = mbedtls_x509_crt_parse_der_nocopy(&certificate_, certificate.data(), certificate.size());
  if (status != 0) return fail("the provisioned device certificate cannot be read", status);
  status = mbedtls_pk_parse_key(&key_, key.data(), key.size(), nullptr, 0, random::mbedtls_source, nullptr);
  if (status != 0) return fail("the provisioned device key cannot be read", status);

  status = mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                       MBEDTLS_SSL_PRESET_DEFAULT);
  if (status != 0) return fail("TLS cannot be configured", status);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config_, &root_ca_, nullptr);
  mbedtls_ssl_conf_rng(&config_, random::mbedtls_source, nullptr);
  status = mbedtls_ssl_conf_own_cert(&config_, &certificate_, &key_);
  if (status != 0) return fail("TLS cannot be configured", status);
  return true;
}

bool TlsConfig::fail(const char* what, int code) {
  failure_ = {what, code};
  return false;
}

}  // namespace app
