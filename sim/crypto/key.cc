#include "sim/crypto/key.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>

namespace otasim::crypto {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

bool is_p256(EVP_PKEY* key) {
  char group[64] = {};
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
         std::strcmp(group, "prime256v1") == 0;
}

/// Refuses to ask on the terminal: an encrypted key file is an error here, not a prompt.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return 0;
}

}  // namespace

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : fmt::format("error {:x}", code);
}

Result<P256Key> P256Key::generate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  if (key == nullptr) return fail(ExitCode::kInternal, "cannot generate a P-256 key: " + openssl_reason());
  return P256Key(key);
}

Result<P256Key> P256Key::load_private(const std::string& path) {
  return load(path, false);
}
Result<P256Key> P256Key::load_any(const std::string& path) {
  return load(path, true);
}

Result<P256Key> P256Key::load(const std::string& path, bool allow_public) {
  const char* const hint = "Make one with: openssl ecparam -name prime256v1 -genkey -noout -out key.pem";
  const Bio file(BIO_new_file(path.c_str(), "r"));
  if (!file) {
    ERR_clear_error();
    return fail(ExitCode::kUsage, fmt::format("cannot read the key '{}': {}", path, std::strerror(errno)),
                hint);
  }
  EVP_PKEY* key = PEM_read_bio_PrivateKey(file.get(), nullptr, no_password, nullptr);
  if (key == nullptr && allow_public && BIO_reset(file.get()) == 0) {
    key = PEM_read_bio_PUBKEY(file.get(), nullptr, no_password, nullptr);
  }
  ERR_clear_error();
  if (key == nullptr) {
    return fail(ExitCode::kUsage,
                fmt::format("'{}' is not an unencrypted PEM {} key", path,
                            allow_public ? "private or public" : "private"),
                hint);
  }
  P256Key loaded(key);
  if (!is_p256(key))
    return fail(ExitCode::kUsage, fmt::format("the key '{}' is not on curve P-256", path), hint);
  return loaded;
}

Result<Bytes> P256Key::sign(std::span<const std::uint8_t> data) const {
  const Context context(EVP_MD_CTX_new());
  std::size_t length = 0;
  Bytes signature;
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &length, data.data(), data.size()) != 1) {
    return fail(ExitCode::kInternal, "cannot sign: " + openssl_reason());
  }
  signature.resize(length);
  if (EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size()) != 1) {
    return fail(ExitCode::kInternal, "cannot sign: " + openssl_reason());
  }
  signature.resize(length);
  return signature;
}

bool P256Key::verify(std::span<const std::uint8_t> data, std::span<const std::uint8_t> signature) const {
  const Context context(EVP_MD_CTX_new());
  const bool ok =
      context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, get()) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
  ERR_clear_error();
  return ok;
}

Bytes P256Key::public_der() const {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(get(), &der);
  Bytes out(der, der + (length > 0 ? length : 0));
  OPENSSL_free(der);
  return out;
}

Bytes P256Key::private_der() const {
  unsigned char* der = nullptr;
  const int length = i2d_PrivateKey(get(), &der);
  Bytes out(der, der + (length > 0 ? length : 0));
  OPENSSL_clear_free(der, out.size());
  return out;
}

std::string P256Key::private_pem() const {
  const Bio memory(BIO_new(BIO_s_mem()));
  if (!memory ||
      PEM_write_bio_PKCS8PrivateKey(memory.get(), get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return {};
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

Bytes sha256(std::span<const std::uint8_t> data) {
  Bytes digest(32);
  unsigned int length = 0;
  EVP_Digest(data.data(), data.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return digest;
}

std::string hex(std::span<const std::uint8_t> data) {
  std::string out;
  out.reserve(data.size() * 2);
  for (const std::uint8_t byte : data) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace otasim::crypto
