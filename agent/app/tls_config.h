// What all TLS connections of the device share: whom it trusts, who it is, and how it speaks.
//
// Parsed once; every TlsStream is made with it. The server's chain must end in the given root and its
// certificate must carry the host's name. Validity dates are not checked (the device has no calendar clock).
// The device's own certificate is shown to a server that asks for one.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstdint>
#include <span>

#include "agent/app/connection.h"

namespace app {

/// DER; must outlive the configuration.
struct TlsCredentials {
  std::span<const std::uint8_t> root_ca;
  std::span<const std::uint8_t> certificate;
  std::span<const std::uint8_t> private_key;
};

class TlsConfig {
 public:
  TlsConfig() = default;
  TlsConfig(const TlsConfig&) = delete;
  TlsConfig& operator=(const TlsConfig&) = delete;

  /// Parses the credentials. Call once, before a stream is opened. @returns false with failure() set if one
  /// of them is malformed.
  [[nodiscard]] bool init(const TlsCredentials& credentials);

  [[nodiscard]] const mbedtls_ssl_config* get() const { return &config_; }
  [[nodiscard]] const ConnectionFailure& failure() const { return failure_; }

 private:
  bool fail(const char* what, int code);

  mbedtls_ssl_config config_{};
  mbedtls_x509_crt root_ca_{};
  mbedtls_x509_crt certificate_{};
  mbedtls_pk_context key_{};
  ConnectionFailure failure_;
};

}  // namespace app
