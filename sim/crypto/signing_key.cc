#include "sim/crypto/signing_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstring>

namespace otasim::crypto {

namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;
constexpr std::size_t kMaxPemBytes = 65'536;

/// Refuses to ask on the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return 0;
}

bool is_p256(EVP_PKEY* key) {
  char group[64] = {};
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
         std::strcmp(group, "prime256v1") == 0;
}

bool is_rsa(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= kMinRsaBits && bits <= kMaxRsaBits;
}

const EVP_MD* method_of(HashAlgorithm hash) {
  return hash == HashAlgorithm::kSha1 ? EVP_sha1() : EVP_sha256();
}

}  // namespace

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  const std::unique_ptr<BIO, BioFree> text(
      pem.size() > kMaxPemBytes ? nullptr : BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* const key = text ? PEM_read_bio_PrivateKey(text.get(), nullptr, no_password, nullptr) : nullptr;
  ERR_clear_error();
  if (key == nullptr) return fail(ExitCode::kUsage, "the private key is no unencrypted PEM key");
  SigningKey read(key);
  if (!is_p256(key) && !is_rsa(key)) {
    return fail(ExitCode::kUsage, "the private key is neither P-256 nor RSA of 2048 to 4096 bits");
  }
  return read;
}

KeyKind SigningKey::kind() const {
  return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA ? KeyKind::kRsa : KeyKind::kP256;
}

Result<Bytes> SigningKey::sign(HashAlgorithm hash, std::span<const std::uint8_t> data) const {
  const Context context(EVP_MD_CTX_new());
  std::size_t length = 0;
  Bytes signature;
  const bool prepared =
      context && EVP_DigestSignInit(context.get(), nullptr, method_of(hash), nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &length, data.data(), data.size()) == 1;
  if (prepared) signature.resize(length);
  if (!prepared || EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size()) != 1) {
    return fail(ExitCode::kInternal, "cannot sign: " + openssl_reason());
  }
  signature.resize(length);
  return signature;
}

bool SigningKey::belongs_to(const X509* certificate) const {
  const bool fits = EVP_PKEY_eq(X509_get0_pubkey(certificate), key_.get()) == 1;
  ERR_clear_error();
  return fits;
}

bool verify_signature(const X509* certificate, HashAlgorithm hash, std::span<const std::uint8_t> data,
                      std::span<const std::uint8_t> signature) {
  const Context context(EVP_MD_CTX_new());
  const bool good =
      context &&
      EVP_DigestVerifyInit(context.get(), nullptr, method_of(hash), nullptr, X509_get0_pubkey(certificate)) ==
          1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace otasim::crypto
