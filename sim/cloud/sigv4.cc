#include "sim/cloud/sigv4.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "sim/crypto/key.h"

namespace otasim::cloud {

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

crypto::Bytes hmac_sha256(std::span<const std::uint8_t> key, std::string_view data) {
  crypto::Bytes digest(32);
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(data).data(), data.size(),
       digest.data(), &length);
  return digest;
}

/// Sorted as encoded: by name, then by value.
std::string canonical_query(const std::vector<QueryParameter>& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) encoded.emplace_back(uri_encode(name), uri_encode(value));
  std::ranges::sort(encoded);
  std::string text;
  for (const auto& [name, value] : encoded) text += fmt::format("&{}={}", name, value);
  return text.empty() ? text : text.substr(1);
}

}  // namespace

std::string CredentialScope::str() const {
  return fmt::format("{}/{}/{}/{}", date, region, service, kSigV4Terminator);
}

std::string canonical_request(const SignableRequest& request) {
  std::string headers;
  std::string names;
  for (const auto& [name, value] : request.headers) {
    headers += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, uri_encode(request.path, true),
                     canonical_query(request.query), headers, names, request.payload_hash);
}

std::string string_to_sign(std::string_view amz_date, const CredentialScope& scope,
                           std::string_view canonical_request) {
  return fmt::format("{}\n{}\n{}\n{}", kSigV4Algorithm, amz_date, scope.str(),
                     crypto::hex(crypto::sha256(bytes_of(canonical_request))));
}

std::string sigv4_signature(std::string_view secret_access_key, const CredentialScope& scope,
                            std::string_view string_to_sign) {
  crypto::Bytes key = hmac_sha256(bytes_of(fmt::format("AWS4{}", secret_access_key)), scope.date);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  key = hmac_sha256(key, kSigV4Terminator);
  return crypto::hex(hmac_sha256(key, string_to_sign));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace otasim::cloud
