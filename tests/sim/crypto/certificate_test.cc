// Keys and certificates: chains verify for their purpose and no other; key files are read strictly.
#include "sim/crypto/certificate.h"
#include "sim/base/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <fstream>

#include "sim/base/temp_dir.h"

namespace {

using otasim::crypto::Certificate;
using otasim::crypto::CertificateRequest;
using otasim::crypto::P256Key;
using otasim::crypto::Purpose;

CertificateRequest request(const std::string& name, Purpose purpose) {
  return {.common_name = name, .purpose = purpose, .dns_names = {}, .ip_addresses = {}};
}

/// Whether OpenSSL accepts `leaf` under `root` for one X509_PURPOSE and host name.
bool chain_holds(const Certificate& leaf, const Certificate& root, int purpose, const char* host = nullptr) {
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  if (host != nullptr) X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  const bool ok = X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return ok;
}

class Chain : public testing::Test {
 protected:
  P256Key ca_key = P256Key::generate().value();
  P256Key leaf_key = P256Key::generate().value();
  Certificate ca = Certificate::self_signed(request("ca", Purpose::kAuthority), ca_key).value();
};

TEST_F(Chain, ServerCertificateHoldsForItsNamesOnly) {
  CertificateRequest server = request("endpoint", Purpose::kTlsServer);
  server.dns_names = {"otasim.localhost", "localhost"};
  server.ip_addresses = {"127.0.0.1"};
  const Certificate leaf = Certificate::issue(server, leaf_key, ca, ca_key).value();
  EXPECT_TRUE(chain_holds(leaf, ca, X509_PURPOSE_SSL_SERVER, "otasim.localhost"));
  EXPECT_FALSE(chain_holds(leaf, ca, X509_PURPOSE_SSL_SERVER, "example.com"));
  EXPECT_FALSE(chain_holds(leaf, ca, X509_PURPOSE_SSL_CLIENT));
}

TEST_F(Chain, ClientCertificateIsForClientsAndOfThisAuthority) {
  const Certificate leaf =
      Certificate::issue(request("thing-1", Purpose::kTlsClient), leaf_key, ca, ca_key).value();
  EXPECT_TRUE(chain_holds(leaf, ca, X509_PURPOSE_SSL_CLIENT));
  EXPECT_FALSE(chain_holds(leaf, ca, X509_PURPOSE_SSL_SERVER));
  const P256Key other_key = P256Key::generate().value();
  const Certificate other = Certificate::self_signed(request("ca", Purpose::kAuthority), other_key).value();
  EXPECT_FALSE(chain_holds(leaf, other, X509_PURPOSE_SSL_CLIENT));
}

TEST_F(Chain, CodeSignerCarriesTheUsageAwsAsksFor) {
  const Certificate leaf =
      Certificate::self_signed(request("signer", Purpose::kCodeSigner), leaf_key).value();
  EXPECT_EQ(X509_get_extended_key_usage(leaf.get()), static_cast<std::uint32_t>(XKU_CODE_SIGN));
  EXPECT_EQ(X509_get_key_usage(leaf.get()), static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE));
}

TEST_F(Chain, PemAndFingerprintSurviveARoundTrip) {
  const Certificate again = Certificate::from_pem(ca.pem()).value();
  EXPECT_EQ(again.der(), ca.der());
  EXPECT_EQ(again.fingerprint(), ca.fingerprint());
  EXPECT_EQ(ca.fingerprint().size(), 64U);
  EXPECT_FALSE(Certificate::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n").has_value());
}

TEST_F(Chain, DerSurvivesARoundTripAndNothingElseIsOne) {
  auto der = ca.der();
  EXPECT_EQ(Certificate::from_der(der).value().der(), der);
  der.resize(der.size() / 2);
  EXPECT_FALSE(Certificate::from_der(der).has_value());
  EXPECT_FALSE(Certificate::from_der({}).has_value());
}

TEST_F(Chain, ACertificateKnowsItsKeyAndItsIssuer) {
  const Certificate leaf =
      Certificate::issue(request("leaf", Purpose::kCodeSigner), leaf_key, ca, ca_key).value();
  EXPECT_TRUE(leaf.belongs_to(leaf_key));
  EXPECT_FALSE(leaf.belongs_to(ca_key));
  EXPECT_TRUE(leaf.is_issued_by(ca));
  EXPECT_TRUE(ca.is_issued_by(ca));
  EXPECT_FALSE(ca.is_issued_by(leaf));
  const Certificate namesake = Certificate::self_signed(request("ca", Purpose::kAuthority), leaf_key).value();
  EXPECT_FALSE(leaf.is_issued_by(namesake)) << "the name alone is not enough";
  const Certificate renamed = Certificate::self_signed(request("other", Purpose::kAuthority), ca_key).value();
  EXPECT_FALSE(leaf.is_issued_by(renamed)) << "nor the key alone";
}

class KeyFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = folder.file("key");
    std::ofstream(path) << text;
    return path;
  }
  otasim::TempDir folder = otasim::TempDir::create().value();
};

TEST_F(KeyFile, WhatIsSavedLoadsAndSignsAlike) {
  const P256Key key = P256Key::generate().value();
  const P256Key loaded = P256Key::load_private(write(key.private_pem())).value();
  const std::vector<std::uint8_t> data{1, 2, 3};
  EXPECT_TRUE(key.verify(data, loaded.sign(data).value()));
  EXPECT_FALSE(key.verify(std::vector<std::uint8_t>{1, 2, 4}, loaded.sign(data).value()));
}

TEST_F(KeyFile, AMissingBrokenOrForeignKeySaysSo) {
  const auto missing = P256Key::load_private("/nonexistent/key");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, testing::HasSubstr("No such file"));
  EXPECT_EQ(missing.error().code, otasim::ExitCode::kUsage);
  const auto broken = P256Key::load_private(write("hello"));
  ASSERT_FALSE(broken.has_value());
  EXPECT_THAT(broken.error().message, testing::HasSubstr("not an unencrypted PEM private key"));
  EXPECT_FALSE(broken.error().hint.empty());
}

}  // namespace
