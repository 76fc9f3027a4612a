// Which certificates may vouch for a file. Runs against both kinds of PAL: for ECDSA, and for RSA.
#include "pal_sim/pal/code_signer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "agent/include/ota.h"
#include "pal_sim/pal/ota_pal.h"
#include "tests/pal_sim/pal/code_signer_for_tests.h"

namespace pal {

void PrintTo(SignerStatus status, std::ostream* out) {
  *out << "SignerStatus " << static_cast<std::uint32_t>(status);
}

}  // namespace pal

namespace pal_test {
namespace {

using pal::SignerStatus;

SignerStatus open(const Bytes& certificate, const Bytes& root = CodeSigner::root().certificate()) {
  pal::CodeSigner signer;
  const SignerStatus status = signer.open(certificate, root);
  if (status != SignerStatus::kOk) {
    EXPECT_FALSE(signer.verifies({}, Bytes(64, 1))) << "one that was refused verifies nothing";
  }
  return status;
}

/// Opens one that root() issued.
SignerStatus open_with(const CertificateSpec& spec) {
  return open(CodeSigner(spec).certificate());
}

/// Opens a signer issued by a root of its own.
SignerStatus open_issued_by(const CertificateSpec& root_spec) {
  const CodeSigner root(root_spec, nullptr);
  return open(CodeSigner({}, &root).certificate(), root.certificate());
}

TEST(CodeSigner, OneThatTheRootIssuedVerifiesWhatItSigned) {
  const CodeSigner issued;
  const Bytes data{1, 2, 3};
  Bytes signature = issued.sign(data);
  pal::CodeSigner signer;
  EXPECT_FALSE(signer.verifies(crypto::sha256(data), signature)) << "nothing is open yet";
  ASSERT_EQ(signer.open(issued.certificate(), CodeSigner::root().certificate()), SignerStatus::kOk);
  EXPECT_TRUE(signer.verifies(crypto::sha256(data), signature));
  EXPECT_FALSE(signer.verifies(crypto::sha256(Bytes{1, 2, 4}), signature));
  EXPECT_FALSE(signer.verifies(crypto::sha256(data), CodeSigner().sign(data))) << "another one's signature";
  EXPECT_FALSE(signer.verifies(crypto::sha256(data), {}));
  signature.push_back(0);
  EXPECT_FALSE(signer.verifies(crypto::sha256(data), signature)) << "a byte too many";
}

TEST(CodeSigner, TheJobDocumentNamesTheKindOfSignature) {
#ifdef OTASIM_PAL_RSA
  EXPECT_STREQ(OTA_JsonFileSignatureKey, "sig-sha256-rsa");
#else
  EXPECT_STREQ(OTA_JsonFileSignatureKey, "sig-sha256-ecdsa");
#endif
}

TEST(CodeSigner, ExpiryAloneIsNoReason) {
  EXPECT_EQ(open_with({.is_expired = true}), SignerStatus::kOk);
}

TEST(CodeSigner, UsesMustAllowCodeSigning) {
  EXPECT_EQ(open_with({.extended_key_usage = "serverAuth"}), SignerStatus::kNotCodeSigner);
  EXPECT_EQ(open_with({.extended_key_usage = ""}), SignerStatus::kNotCodeSigner);
  EXPECT_EQ(open_with({.key_usage = "critical,keyAgreement"}), SignerStatus::kNotCodeSigner);
  EXPECT_EQ(open_with({.key_usage = ""}), SignerStatus::kNotCodeSigner);
  EXPECT_EQ(open_with({.basic_constraints = "critical,CA:TRUE"}), SignerStatus::kNotCodeSigner);
  EXPECT_EQ(open_with({.basic_constraints = "critical,CA:FALSE"}), SignerStatus::kOk);
  EXPECT_EQ(open_with({.extended_key_usage = "clientAuth,codeSigning"}), SignerStatus::kOk);
}

TEST(CodeSigner, OnlyOneKindOfKeyIsUsable) {
  EXPECT_EQ(open_with({.key = kOtherKey}), SignerStatus::kUnsupportedKey);
  EXPECT_EQ(open_with({.key = "P-384"}), SignerStatus::kUnsupportedKey);
  EXPECT_EQ(open_with({.key = "secp256k1"}), SignerStatus::kUnsupportedKey);
  EXPECT_EQ(open_with({.key = "RSA-1024"}), SignerStatus::kUnsupportedKey);
  EXPECT_EQ(open_with({.key = "RSA-4096"}), SignerStatus::kUnsupportedKey);
}

#ifdef OTASIM_PAL_RSA
TEST(CodeSigner, KeysUpTo3072BitsAreUsable) {
  const CodeSigner issued({.key = "RSA-3072"});
  const Bytes data(84, 7);
  pal::CodeSigner signer;
  ASSERT_EQ(signer.open(issued.certificate(), CodeSigner::root().certificate()), SignerStatus::kOk);
  const Bytes signature = issued.sign(data);
  EXPECT_EQ(signature.size(), 384U) << "fills a Sig_t";
  EXPECT_TRUE(signer.verifies(crypto::sha256(data), signature));
}
#endif

TEST(CodeSigner, SomebodyElsesIsRefused) {
  const CodeSigner self_signed({}, nullptr);
  EXPECT_EQ(open(self_signed.certificate()), SignerStatus::kNotIssuedByRoot);
  const CodeSigner impostor(authority_spec(), nullptr);  // the root's name, another key
  EXPECT_EQ(open(CodeSigner({}, &impostor).certificate()), SignerStatus::kNotIssuedByRoot);
  CertificateSpec other_name = authority_spec();
  other_name.name = "another root";
  const CodeSigner other(other_name, nullptr);
  EXPECT_EQ(open(CodeSigner({}, &other).certificate()), SignerStatus::kNotIssuedByRoot);
}

TEST(CodeSigner, IntermediatesAreNotSupported) {
  CertificateSpec spec = authority_spec();
  spec.name = "intermediate";
  const CodeSigner intermediate(spec);
  EXPECT_EQ(open(CodeSigner({}, &intermediate).certificate()), SignerStatus::kNotIssuedByRoot);
}

TEST(CodeSigner, ASignerIssuesNoSigners) {
  const CodeSigner signer;
  EXPECT_EQ(open(CodeSigner({}, &signer).certificate(), signer.certificate()), SignerStatus::kBadRoot);
}

TEST(CodeSigner, TheRootMustBeAnAuthority) {
  CertificateSpec spec = authority_spec();
  EXPECT_EQ(open_issued_by(spec), SignerStatus::kOk);
  spec.basic_constraints = "critical,CA:FALSE";
  EXPECT_EQ(open_issued_by(spec), SignerStatus::kBadRoot);
  spec = authority_spec();
  spec.key_usage = "critical,cRLSign";
  EXPECT_EQ(open_issued_by(spec), SignerStatus::kBadRoot);
  spec.key_usage = "";
  EXPECT_EQ(open_issued_by(spec), SignerStatus::kBadRoot);
}

TEST(CodeSigner, TheRootMustBeReadable) {
  EXPECT_EQ(open(CodeSigner().certificate(), {}), SignerStatus::kBadRoot);
  Bytes root = CodeSigner::root().certificate();
  root.push_back(0);
  EXPECT_EQ(open(CodeSigner().certificate(), root), SignerStatus::kBadRoot);
}

TEST(CodeSigner, TheRootItselfSignsNoCode) {
  EXPECT_NE(open(CodeSigner::root().certificate()), SignerStatus::kOk);
  CertificateSpec spec = authority_spec();
  spec.key = kGoodKey;
  spec.key_usage = "critical,keyCertSign,digitalSignature";
  spec.extended_key_usage = "codeSigning";
  const CodeSigner root(spec, nullptr);
  EXPECT_EQ(open(root.certificate(), root.certificate()), SignerStatus::kNotCodeSigner);
}

TEST(CodeSigner, ARootThatIsASignerIsPinned) {
  const CodeSigner pinned({}, nullptr);
  EXPECT_EQ(open(pinned.certificate(), pinned.certificate()), SignerStatus::kOk);
  const CodeSigner namesake({}, nullptr);
  EXPECT_EQ(open(namesake.certificate(), pinned.certificate()), SignerStatus::kBadRoot);
}

TEST(CodeSigner, TheRootsSignatureIsOverSha256) {
  EXPECT_EQ(open_with({.digest = "SHA384"}), SignerStatus::kUnsupportedKey);
  EXPECT_EQ(open_with({.digest = "SHA224"}), SignerStatus::kNotIssuedByRoot);
}

TEST(CodeSigner, NoBitOfTheCertificateMayDiffer) {
  const CodeSigner signer;
  for (std::size_t at = 0; at < signer.certificate().size(); ++at) {
    Bytes damaged = signer.certificate();
    damaged[at] ^= 0x04;
    EXPECT_NE(open(damaged), SignerStatus::kOk) << at;
  }
}

TEST(CodeSigner, EveryTruncationIsRefused) {
  const CodeSigner signer;
  const Bytes& certificate = signer.certificate();
  EXPECT_EQ(open(Bytes{}), SignerStatus::kNotFound);
  for (std::size_t size = 1; size < certificate.size(); ++size) {
    EXPECT_EQ(open(Bytes(certificate.begin(), certificate.begin() + static_cast<std::ptrdiff_t>(size))),
              SignerStatus::kUnreadable)
        << size;
  }
  Bytes longer = certificate;
  longer.push_back(0);
  EXPECT_EQ(open(longer), SignerStatus::kUnreadable);
}

}  // namespace
}  // namespace pal_test
