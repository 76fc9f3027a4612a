// What all TLS connections of the device share: whom it trusts, who it is, and how it speaks.
//
// Parsed once; every TlsStream is made with it. The server's chain must end in the given root, its
// certificate must carry the host's name, and none of them may have expired. That one is not valid yet counts
// only if the time is known (calendar_time.h). The device's own certificate is shown to a server that asks
// for one, and the signer proves that it is the device's: the private key is not here.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstdint>
#include <span>

#include "agent/app/calendar_time.h"
#include "agent/app/connection.h"
#include "agent/crypto/ecdsa_signer.h"

namespace app {

/// Certificates are DER. All of it must outlive the configuration.
struct TlsCredentials {
  std::span<const std::uint8_t> root_ca;
  std::span<const std::uint8_t> certificate;
  crypto::EcdsaSigner* signer = nullptr;  ///< has the certificate's private key
};

class TlsConfig {
 public:
  /// How much longer than a time they vouch for certificates are valid.
  static constexpr EpochSeconds kVouchMargin = 30 * 24 * 60 * 60;

  TlsConfig() = default;
  TlsConfig(const TlsConfig&) = delete;
  TlsConfig& operator=(const TlsConfig&) = delete;

  /// Parses the credentials. Call once, before a stream is opened.
  /// @param time  what certificates' dates are judged by; must outlive all use of mbedTLS
  /// @returns false with failure() set if one of the credentials is malformed
  [[nodiscard]] bool init(const TlsCredentials& credentials, const CalendarTime& time);

  [[nodiscard]] const mbedtls_ssl_config* get() const { return &config_; }
  [[nodiscard]] const ConnectionFailure& failure() const { return failure_; }

  /// When a trusted server's certificates were last found valid for kVouchMargin more, by a time that was
  /// known; 0: never. A time that is forged has at least this bound. Without the margin a device that keeps a
  /// time shortly before the end would refuse the server a moment after each start, until its certificate is
  /// replaced.
  [[nodiscard]] EpochSeconds vouched_time() const { return vouched_time_; }

 private:
  static int judge_certificate(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* problems);
  bool fail(const char* what, int code);

  mbedtls_ssl_config config_{};
  mbedtls_x509_crt root_ca_{};
  mbedtls_x509_crt certificate_{};
  ConnectionFailure failure_;
  const CalendarTime* time_ = nullptr;
  EpochSeconds vouched_time_ = 0;
  bool chain_vouches_ = true;  ///< the certificates above the one that is judged
};

}  // namespace app
