#include "tests/sim/rest/signed_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sim/cloud/uri_encoding.h"
#include "sim/crypto/key.h"

namespace otasim::rest::test {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ";") + name;
  return text;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
  return crypto::hex(crypto::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

void Signer::sign(HttpRequestHead& head, std::string_view payload_hash) const {
  if (head.count("X-Amz-Date") == 0) head.headers.emplace_back("X-Amz-Date", date);
  RequestSignature signature;
  signature.access_key_id = access_key_id;
  signature.scope = {date.substr(0, 8), region, service};
  signature.date = date;
  signature.target = cloud::parse_request_target(head.target).value();
  for (const auto& [name, value] : head.headers) signature.signed_headers.push_back(lower(name));
  std::ranges::sort(signature.signed_headers);
  const auto repeated = std::ranges::unique(signature.signed_headers);
  signature.signed_headers.erase(repeated.begin(), repeated.end());
  const std::string hash = payload_hash.empty() ? sha256_hex("") : std::string(payload_hash);
  const std::string request = canonical_request_of(head, signature, hash);
  head.headers.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", access_key_id,
                  signature.scope.str(), joined(signature.signed_headers),
                  cloud::sigv4_signature(secret_access_key, signature.scope,
                                         cloud::string_to_sign(date, signature.scope, request))));
}

void Signer::presign(HttpRequestHead& head, std::string_view payload_hash, int expires_in) const {
  const cloud::CredentialScope scope{date.substr(0, 8), region, service};
  head.target += fmt::format(
      "{}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}"
      "&X-Amz-SignedHeaders=host",
      head.target.find('?') == std::string::npos ? '?' : '&',
      cloud::uri_encode(access_key_id + "/" + scope.str()), date, expires_in);
  RequestSignature signature;
  signature.scope = scope;
  signature.in_query = true;
  signature.signed_headers = {"host"};
  signature.target = cloud::parse_request_target(head.target).value();
  const std::string request = canonical_request_of(head, signature, payload_hash);
  head.target += "&X-Amz-Signature=" + cloud::sigv4_signature(secret_access_key, scope,
                                                              cloud::string_to_sign(date, scope, request));
}

}  // namespace otasim::rest::test
