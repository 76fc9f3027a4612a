// Which certificates may vouch for a file.
#include "pal_sim/pal/code_signer.h"

#include <gtest/gtest.h>

#include "tests/pal_sim/pal/code_signer_for_tests.h"

namespace pal_test {
namespace {

bool is_usable(const CertificateSpec& spec) {
  return pal::code_signing_key(CodeSigner(spec).certificate()).has_value();
}

TEST(CodeSigner, KeyOfACodeSigningCertificateVerifies) {
  const CodeSigner signer;
  const Bytes data{1, 2, 3};
  const auto key = pal::code_signing_key(signer.certificate());
  ASSERT_TRUE(key);
  EXPECT_EQ(crypto::ecdsa_p256_verify(*key, crypto::sha256(data), signer.sign(data)), crypto::Verdict::kYes);
}

TEST(CodeSigner, ExpiryAloneIsNoReason) {
  EXPECT_TRUE(is_usable({.is_expired = true}));
}

TEST(CodeSigner, UsesMustAllowCodeSigning) {
  EXPECT_FALSE(is_usable({.extended_key_usage = "serverAuth"}));
  EXPECT_FALSE(is_usable({.extended_key_usage = ""}));
  EXPECT_FALSE(is_usable({.key_usage = "critical,keyAgreement"}));
  EXPECT_TRUE(is_usable({.extended_key_usage = "clientAuth,codeSigning"}));
}

TEST(CodeSigner, OnlyP256KeysAreUsable) {
  EXPECT_FALSE(is_usable({.curve = "P-384"}));
  EXPECT_FALSE(is_usable({.curve = "secp256k1"}));
  EXPECT_FALSE(is_usable({.curve = "RSA"}));
}

TEST(CodeSigner, EveryTruncationIsRefused) {
  const CodeSigner signer;
  const Bytes& certificate = signer.certificate();
  for (std::size_t size = 0; size < certificate.size(); ++size) {
    EXPECT_FALSE(pal::code_signing_key(std::span(certificate).first(size))) << size;
  }
}

}  // namespace
}  // namespace pal_test
