// Which server certificates the device accepts, and when: whole TLS handshakes in memory, mbedTLS as the
// device sets it up against OpenSSL.
#include "agent/app/tls_config.h"

#include <gtest/gtest.h>
#include <mbedtls/platform.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "agent/app/random.h"
#include "sim/crypto/certificate.h"
#include "tests/agent/app/fake_app.h"

int app::random::mbedtls_source(void* /*context*/, unsigned char* out, std::size_t size) {
  return RAND_bytes(out, static_cast<int>(size)) == 1 ? 0 : -1;
}

namespace app {
namespace {

using otasim::crypto::Certificate;
using otasim::crypto::CertificateRequest;
using otasim::crypto::P256Key;
using otasim::crypto::Purpose;

constexpr const char* kHost = "host.example";
constexpr EpochSeconds kBuilt = 1'800'000'000;
constexpr EpochSeconds kYear = 31'536'000;
constexpr EpochSeconds kFrom = kBuilt + kYear;  ///< the server's certificate is valid from here
constexpr EpochSeconds kUntil = kFrom + kYear;  ///< to here
constexpr std::uint32_t kFine = 0;

struct Identity {
  P256Key key;
  Certificate certificate;
};

/// The device's, as the application sees it.
class Signer final : public crypto::EcdsaSigner {
 public:
  explicit Signer(const P256Key& key) : key_(crypto::parse_p256_private_key(key.private_der()).value()) {}
  bool sign(const crypto::Sha256Digest& digest, crypto::EcdsaSignature& out) override {
    ++signatures;
    if (is_silent) return false;
    out = crypto::ecdsa_p256_sign(key_, digest).value();
    return true;
  }

  int signatures = 0;
  bool is_silent = false;

 private:
  crypto::P256PrivateKey key_;
};

/// A configuration lives as long as its device and frees nothing: what a test leaves is freed behind it.
std::set<void*> held;

void* allocate(std::size_t count, std::size_t size) {
  return *held.insert(std::calloc(count, size)).first;
}

void release(void* memory) {
  held.erase(memory);
  std::free(memory);
}

Identity make_authority(std::int64_t valid_until = kBuilt + 20 * kYear) {
  P256Key key = P256Key::generate().value();
  auto certificate = Certificate::self_signed({.common_name = "authority",
                                               .purpose = Purpose::kAuthority,
                                               .dns_names = {},
                                               .ip_addresses = {},
                                               .valid_from = kBuilt - kYear,
                                               .valid_until = valid_until},
                                              key)
                         .value();
  return {std::move(key), std::move(certificate)};
}

class TlsConfigTest : public testing::Test {
 protected:
  TlsConfigTest() {
    test::reset_world();
    mbedtls_platform_set_calloc_free(allocate, release);
  }
  ~TlsConfigTest() override {
    for (void* const memory : held) std::free(memory);
    held.clear();
  }

  void init() {
    const auto key = P256Key::generate().value();
    root_der = authority.certificate.der();
    device_der =
        Certificate::issue(
            {.common_name = "device", .purpose = Purpose::kTlsClient, .dns_names = {}, .ip_addresses = {}},
            key, authority.certificate, authority.key)
            .value()
            .der();
    signer.emplace(key);
    ASSERT_TRUE(config.init({.root_ca = root_der, .certificate = device_der, .signer = &*signer}, time))
        << config.failure().what;
  }

  /// What mbedTLS has against the certificate that `issuer` gives the server; kFine if the handshake
  /// succeeds.
  std::uint32_t problems_with_server_of(const Identity& issuer, const char* name = kHost) {
    const auto key = P256Key::generate().value();
    const auto certificate = Certificate::issue({.common_name = name,
                                                 .purpose = Purpose::kTlsServer,
                                                 .dns_names = {name},
                                                 .ip_addresses = {},
                                                 .valid_from = kFrom,
                                                 .valid_until = kUntil},
                                                key, issuer.certificate, issuer.key)
                                 .value();
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                    SSL_CTX_free);
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    if (asks_for_a_certificate) {
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.certificate.get());
    }
    const std::unique_ptr<SSL, decltype(&SSL_free)> server(SSL_new(context.get()), SSL_free);
    SSL_set_bio(server.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    const std::uint32_t problems = shake_hands(server.get());
    was_client_trusted =
        SSL_is_init_finished(server.get()) == 1 && SSL_get0_peer_certificate(server.get()) != nullptr;
    return problems;
  }
  std::uint32_t problems_with_server() { return problems_with_server_of(authority); }

  std::uint32_t shake_hands(SSL* server) {
    mbedtls_ssl_context client;
    mbedtls_ssl_init(&client);
    EXPECT_EQ(mbedtls_ssl_setup(&client, config.get()), 0);
    EXPECT_EQ(mbedtls_ssl_set_hostname(&client, kHost), 0);
    mbedtls_ssl_set_bio(
        &client, server,
        [](void* peer, const unsigned char* data, std::size_t size) {
          return BIO_write(SSL_get_rbio(static_cast<SSL*>(peer)), data, static_cast<int>(size));
        },
        [](void* peer, unsigned char* out, std::size_t size) {
          const int count = BIO_read(SSL_get_wbio(static_cast<SSL*>(peer)), out, static_cast<int>(size));
          return count > 0 ? count : MBEDTLS_ERR_SSL_WANT_READ;
        },
        nullptr);
    int status = MBEDTLS_ERR_SSL_WANT_READ;
    constexpr int kMostTurns = 100;
    for (int i = 0; i < kMostTurns && status == MBEDTLS_ERR_SSL_WANT_READ; ++i) {
      status = mbedtls_ssl_handshake(&client);
      SSL_accept(server);
    }
    const std::uint32_t problems = mbedtls_ssl_get_verify_result(&client);
    if (expected_status == 0 && problems != 0) expected_status = MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
    EXPECT_EQ(status, expected_status);
    expected_status = 0;
    mbedtls_ssl_free(&client);
    return problems;
  }

  bool asks_for_a_certificate = false;
  bool was_client_trusted = false;
  int expected_status = 0;  ///< of the next handshake, whose certificates are good
  Identity authority = make_authority();
  CalendarTime time{kBuilt};
  TlsConfig config;
  std::vector<std::uint8_t> root_der, device_der;
  std::optional<Signer> signer;
};

TEST_F(TlsConfigTest, ACertificateIsGoodWithinItsDates) {
  init();
  for (const EpochSeconds now : {kFrom, kFrom + 1, kUntil - 1, kUntil}) {
    ASSERT_TRUE(time.set(now));
    EXPECT_EQ(problems_with_server(), kFine) << now;
  }
}

TEST_F(TlsConfigTest, AnExpiredOneIsRefused) {
  init();
  ASSERT_TRUE(time.set(kUntil + 1));
  EXPECT_EQ(problems_with_server(), MBEDTLS_X509_BADCERT_EXPIRED);
}

TEST_F(TlsConfigTest, AnExpiredOneIsRefusedByAnEarliestTimeToo) {
  time.raise_floor(kUntil + 1);
  init();
  ASSERT_FALSE(time.is_known());
  EXPECT_EQ(problems_with_server(), MBEDTLS_X509_BADCERT_EXPIRED);
}

TEST_F(TlsConfigTest, OneThatIsNotValidYetIsRefusedIfTheTimeIsKnown) {
  init();
  EXPECT_EQ(problems_with_server(), kFine) << "it was built before, and knows no more";
  ASSERT_TRUE(time.set(kFrom - 1));
  EXPECT_EQ(problems_with_server(), MBEDTLS_X509_BADCERT_FUTURE);
}

TEST_F(TlsConfigTest, TheRootMayExpireToo) {
  authority = make_authority(kFrom + 10);
  init();
  ASSERT_TRUE(time.set(kFrom + 10));
  EXPECT_EQ(problems_with_server(), kFine);
  ASSERT_TRUE(time.set(kFrom + 11));
  EXPECT_NE(problems_with_server() & MBEDTLS_X509_BADCERT_EXPIRED, 0U);
}

TEST_F(TlsConfigTest, WhatIsWrongBesideTheDatesStaysWrong) {
  init();
  EXPECT_EQ(problems_with_server_of(authority, "other.example"), MBEDTLS_X509_BADCERT_CN_MISMATCH);
  EXPECT_EQ(problems_with_server_of(make_authority()), MBEDTLS_X509_BADCERT_NOT_TRUSTED);
}

TEST_F(TlsConfigTest, ATimeIsVouchedForByACertificateThatHoldsThen) {
  init();
  ASSERT_EQ(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), 0) << "the time is not known";
  ASSERT_TRUE(time.set(kFrom + 10));
  ASSERT_EQ(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), kFrom + 10);
}

TEST_F(TlsConfigTest, TheSignerProvesWhoTheDeviceIs) {
  init();
  asks_for_a_certificate = true;
  EXPECT_EQ(problems_with_server(), kFine);
  EXPECT_TRUE(was_client_trusted);
  EXPECT_EQ(signer->signatures, 1);
}

TEST_F(TlsConfigTest, ASignerThatRefusesEndsTheHandshake) {
  init();
  asks_for_a_certificate = true;
  signer->is_silent = true;
  expected_status = MBEDTLS_ERR_ECP_INVALID_KEY;
  EXPECT_EQ(problems_with_server(), kFine);
  EXPECT_FALSE(was_client_trusted);
}

TEST_F(TlsConfigTest, WithoutASignerThereIsNoProof) {
  init();
  asks_for_a_certificate = true;
  crypto::bind_mbedtls_signer(nullptr);
  expected_status = MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE;
  EXPECT_EQ(problems_with_server(), kFine);
  EXPECT_FALSE(was_client_trusted);
}

/// Kept in flash, a forged time at the very end of its validity would have the server's certificate expire a
/// moment after each start, until it is replaced.
TEST_F(TlsConfigTest, ATimeIsNotVouchedForByACertificateThatSoonExpires) {
  init();
  ASSERT_TRUE(time.set(kUntil));
  ASSERT_EQ(problems_with_server(), kFine);
  ASSERT_TRUE(time.set(kUntil - TlsConfig::kVouchMargin + 1));
  ASSERT_EQ(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), 0);
  ASSERT_TRUE(time.set(kUntil - TlsConfig::kVouchMargin));
  ASSERT_EQ(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), kUntil - TlsConfig::kVouchMargin);
}

TEST_F(TlsConfigTest, ATimeIsNotVouchedForBelowARootThatSoonExpires) {
  authority = make_authority(kFrom + TlsConfig::kVouchMargin);
  init();
  ASSERT_TRUE(time.set(kFrom + 1));
  ASSERT_EQ(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), 0);
  ASSERT_TRUE(time.set(kFrom));
  ASSERT_EQ(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), kFrom);
}

TEST_F(TlsConfigTest, ATimeIsNotVouchedForByWhatIsRefused) {
  init();
  ASSERT_TRUE(time.set(kFrom + 10));
  EXPECT_NE(problems_with_server_of(make_authority()), kFine);
  EXPECT_NE(problems_with_server_of(authority, "other.example"), kFine);
  ASSERT_TRUE(time.set(kUntil + 1));
  EXPECT_NE(problems_with_server(), kFine);
  EXPECT_EQ(config.vouched_time(), 0);
}

}  // namespace
}  // namespace app
