#include "agent/app/tls_config.h"

#include <mbedtls/platform_time.h>

#include "agent/app/random.h"

namespace app {
namespace {

constexpr std::size_t kKeyBits = 256;

/// mbedTLS asks for the time without a context: this is the clock it means.
const CalendarTime* mbedtls_clock = nullptr;

mbedtls_time_t mbedtls_now(mbedtls_time_t* out) {
  const auto now = static_cast<mbedtls_time_t>(mbedtls_clock->now());
  if (out != nullptr) *out = now;
  return now;
}

bool is_valid_until(const mbedtls_x509_crt& certificate, EpochSeconds time) {
  mbedtls_x509_time date{};
  return mbedtls_x509_time_gmtime(time, &date) == 0 &&
         mbedtls_x509_time_cmp(&date, &certificate.valid_to) <= 0;
}

}  // namespace

bool TlsConfig::init(const TlsCredentials& credentials, const CalendarTime& time) {
  time_ = mbedtls_clock = &time;
  static_cast<void>(mbedtls_platform_set_time(mbedtls_now));
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&root_ca_);
  mbedtls_x509_crt_init(&certificate_);

  const auto& [root, certificate, signer] = credentials;
  int status = mbedtls_x509_crt_parse_der_nocopy(&root_ca_, root.data(), root.size());
  if (status != 0) return fail("the provisioned root certificate cannot be read", status);
  status = mbedtls_x509_crt_parse_der_nocopy(&certificate_, certificate.data(), certificate.size());
  if (status != 0) return fail("the provisioned device certificate cannot be read", status);
  if (mbedtls_pk_get_bitlen(&certificate_.pk) != kKeyBits ||
      !mbedtls_pk_can_do(&certificate_.pk, MBEDTLS_PK_ECDSA))
    return fail("the provisioned device certificate is not for a key on P-256", 0);
  crypto::bind_mbedtls_signer(signer);

  status = mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                       MBEDTLS_SSL_PRESET_DEFAULT);
  if (status != 0) return fail("TLS cannot be configured", status);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config_, &root_ca_, nullptr);
  mbedtls_ssl_conf_verify(&config_, judge_certificate, this);
  mbedtls_ssl_conf_rng(&config_, random::mbedtls_source, nullptr);
  status = mbedtls_ssl_conf_own_cert(&config_, &certificate_, &certificate_.pk);
  if (status != 0) return fail("TLS cannot be configured", status);
  return true;
}

/// Called for each certificate of the chain, from the root down to the server's, with what mbedTLS found. A
/// clock that only knows what is over cannot say that something is still to come.
int TlsConfig::judge_certificate(void* self, mbedtls_x509_crt* certificate, int depth,
                                 std::uint32_t* problems) {
  auto& config = *static_cast<TlsConfig*>(self);
  const bool is_known = config.time_->is_known();
  const EpochSeconds now = config.time_->now();
  if (!is_known) *problems &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_FUTURE);
  const bool vouches = is_known && *problems == 0 && is_valid_until(*certificate, now + kVouchMargin);
  config.chain_vouches_ = config.chain_vouches_ && vouches;
  if (depth > 0) return 0;
  if (config.chain_vouches_) config.vouched_time_ = now;
  config.chain_vouches_ = true;
  return 0;
}

bool TlsConfig::fail(const char* what, int code) {
  failure_ = {what, code};
  return false;
}

}  // namespace app
