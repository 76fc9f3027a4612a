#include "tests/sim/rest/signed_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/text.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/crypto/key.h"

namespace otasim::rest::test {

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ";") + name;
  return text;
}

/// Of all headers, as they are signed: in order, each once.
std::vector<std::string> names_of(const HttpRequestHead& head) {
  std::vector<std::string> names;
  for (const auto& [name, value] : head.headers) names.push_back(to_lower(name));
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
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
  signature.signed_headers = names_of(head);
  const std::string hash = payload_hash.empty() ? sha256_hex("") : std::string(payload_hash);
  const std::string request = canonical_request_of(head, signature, hash);
  head.headers.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", access_key_id,
                  signature.scope.str(), joined(signature.signed_headers),
                  cloud::sigv4_signature(secret_access_key, signature.scope,
                                         cloud::string_to_sign(date, signature.scope, request))));
}

void Signer::presign(HttpRequestHead& head, std::string_view payload_hash,
                     const std::optional<std::string>& expires_in) const {
  RequestSignature signature;
  signature.scope = {date.substr(0, 8), region, service};
  signature.in_query = true;
  signature.signed_headers = names_of(head);
  head.target += fmt::format(
      "{}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}{}&X-Amz-SignedHeaders={}",
      head.target.find('?') == std::string::npos ? '?' : '&',
      cloud::uri_encode(access_key_id + "/" + signature.scope.str()), date,
      expires_in ? "&X-Amz-Expires=" + *expires_in : "", cloud::uri_encode(joined(signature.signed_headers)));
  signature.target = cloud::parse_request_target(head.target).value();
  const std::string request = canonical_request_of(head, signature, payload_hash);
  head.target +=
      "&X-Amz-Signature=" + cloud::sigv4_signature(secret_access_key, signature.scope,
                                                   cloud::string_to_sign(date, signature.scope, request));
}

}  // namespace otasim::rest::test
