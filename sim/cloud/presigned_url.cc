#include "sim/cloud/presigned_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "sim/base/text.h"
#include "sim/cloud/sigv4.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"

namespace otasim::cloud {

namespace {

/// How far a signer's clock may be ahead of S3's.
constexpr std::int64_t kMaxSkewSeconds = 900;
constexpr std::string_view kService = "s3";
constexpr std::size_t kDateLength = 8;

using Query = std::vector<QueryParameter>;

tl::unexpected<S3Error> query_error(std::string message) {
  return tl::unexpected(S3Error{400, "AuthorizationQueryParametersError", std::move(message)});
}

tl::unexpected<S3Error> denied(std::string message,
                               std::vector<std::pair<std::string, std::string>> details = {}) {
  return tl::unexpected(S3Error{403, "AccessDenied", std::move(message), std::move(details)});
}

/// @returns null if there is none
const std::string* find(const Query& query, std::string_view name) {
  const auto found = std::ranges::find(query, name, &QueryParameter::name);
  return found == query.end() ? nullptr : &found->value;
}

/// A parameter that is given twice means one thing to us and another to somebody else.
std::optional<std::string_view> find_repeated(const Query& query) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : query) names.push_back(name);
  std::ranges::sort(names);
  const auto found = std::ranges::adjacent_find(names);
  return found == names.end() ? std::nullopt : std::optional(*found);
}

/// The authentication parameters of a query, as texts.
struct Authentication {
  std::string algorithm;
  std::string credential;
  std::string date;
  std::string expires;
  std::string signed_headers;
  std::string signature;
};

S3Result<Authentication> read_authentication(const Query& query) {
  const std::array kNames{"X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",
                          "X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature"};
  Authentication read;
  const std::array into{&read.algorithm, &read.credential,     &read.date,
                        &read.expires,   &read.signed_headers, &read.signature};
  std::size_t present = 0;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (const std::string* const value = find(query, kNames[i]); value != nullptr) {
      *into[i] = *value;
      ++present;
    }
  }
  if (present == 0) return denied("Access Denied");
  if (present < kNames.size()) {
    return query_error(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  }
  return read;
}

struct Credential {
  std::string access_key_id;
  CredentialScope scope;
};

/// Takes `KEY/DATE/REGION/SERVICE/aws4_request` apart and checks all but the key.
S3Result<Credential> read_credential(std::string_view text, std::string_view date, std::string_view region) {
  const std::string_view whole = text;
  std::vector<std::string_view> parts;
  for (std::size_t slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/')) {
    parts.push_back(text.substr(0, slash));
    text.remove_prefix(slash + 1);
  }
  parts.push_back(text);
  if (parts.size() != 5 || parts[0].empty()) {
    return query_error(
        "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  if (parts[1] != date.substr(0, kDateLength)) {
    return query_error(
        fmt::format("Error parsing the X-Amz-Credential parameter; the Credential \"{}\" has another date "
                    "than X-Amz-Date: \"{}\".",
                    whole, date));
  }
  if (parts[2] != region) {
    return query_error(
        fmt::format("Error parsing the X-Amz-Credential parameter; the region '{}' is wrong; expecting '{}'",
                    parts[2], region));
  }
  if (parts[3] != kService) {
    return query_error(fmt::format(
        "Error parsing the X-Amz-Credential parameter; incorrect service \"{}\". This endpoint belongs to "
        "\"{}\".",
        parts[3], kService));
  }
  if (parts[4] != kSigV4Terminator) {
    return query_error(fmt::format(
        "Error parsing the X-Amz-Credential parameter; incorrect terminal \"{}\". This endpoint uses \"{}\".",
        parts[4], kSigV4Terminator));
  }
  return Credential{std::string(parts[0]),
                    {std::string(parts[1]), std::string(region), std::string(kService)}};
}

/// @returns when the request expires
S3Result<std::int64_t> check_time(const Authentication& given, std::int64_t now) {
  const auto signed_at = parse_amz_date(given.date);
  if (!signed_at) {
    return query_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  auto lifetime = parse_presigned_lifetime(given.expires);
  if (!lifetime) return lifetime;
  const std::int64_t expires_at = *signed_at + *lifetime;
  if (now > expires_at) {
    return denied(
        "Request has expired",
        {{"X-Amz-Expires", given.expires}, {"Expires", iso8601(expires_at)}, {"ServerTime", iso8601(now)}});
  }
  if (*signed_at > now + kMaxSkewSeconds) {
    return denied("Request is not valid yet", {{"X-Amz-Date", given.date}, {"ServerTime", iso8601(now)}});
  }
  return expires_at;
}

std::string host_canonical_request(std::string_view method, const RequestTarget& target,
                                   std::string_view host) {
  Query query = target.query;
  std::erase_if(query, [](const QueryParameter& p) { return p.name == "X-Amz-Signature"; });
  return canonical_request(
      {method, target.path, std::move(query), {{"host", std::string(trim(host))}}, kUnsignedPayload});
}

}  // namespace

S3Result<std::int64_t> parse_presigned_lifetime(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = end == text.data() + text.size();
  if (!text.empty() && is_number && error == std::errc::result_out_of_range) {
    seconds = text.starts_with('-') ? -1 : kMaxPresignedSeconds + 1;
  } else if (text.empty() || !is_number || error != std::errc{}) {
    return query_error("X-Amz-Expires should be a number");
  }
  if (seconds < 1) return query_error("X-Amz-Expires must be non-negative");
  if (seconds > kMaxPresignedSeconds) {
    return query_error(fmt::format(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less "
        "than {} seconds",
        kMaxPresignedSeconds));
  }
  return seconds;
}

ObjectLocation object_location(const RequestTarget& target) {
  const std::string path = target.path.substr(1);
  const std::size_t slash = path.find('/');
  const std::string* const version = find(target.query, "versionId");
  return {path.substr(0, slash), slash == std::string::npos ? "" : path.substr(slash + 1),
          version == nullptr ? "" : *version};
}

UrlPresigner::UrlPresigner(PresignerConfig config, const Clock& clock, UuidSource uuid)
    : config_(std::move(config)), clock_(clock), uuid_(std::move(uuid)) {
  set_endpoint(std::move(config_.endpoint));
}

void UrlPresigner::set_endpoint(std::string host_and_port) {
  // Clients leave the default port out of the Host header, and so out of what is signed.
  constexpr std::string_view kDefaultPort = ":443";
  if (host_and_port.ends_with(kDefaultPort)) host_and_port.resize(host_and_port.size() - kDefaultPort.size());
  config_.endpoint = std::move(host_and_port);
}

std::string UrlPresigner::presign_get(const ObjectLocation& object, std::int64_t expires_in_seconds) const {
  return presign("GET", object, expires_in_seconds);
}

std::string UrlPresigner::presign(std::string_view method, const ObjectLocation& object,
                                  std::int64_t expires_in_seconds) const {
  const std::string date = amz_date(clock_.now());
  const CredentialScope scope{date.substr(0, kDateLength), config_.region, std::string(kService)};
  RequestTarget target{fmt::format("/{}/{}", object.bucket, object.key),
                       {{"X-Amz-Algorithm", std::string(kSigV4Algorithm)},
                        {"X-Amz-Credential", fmt::format("{}/{}", config_.access_key_id, scope.str())},
                        {"X-Amz-Date", date},
                        {"X-Amz-Expires", fmt::format("{}", expires_in_seconds)},
                        {"X-Amz-Security-Token", uuid_()},
                        {"X-Amz-SignedHeaders", "host"}}};
  if (!object.version.empty()) target.query.push_back({"versionId", object.version});
  const std::string request = host_canonical_request(method, target, config_.endpoint);
  target.query.push_back({"X-Amz-Signature", sigv4_signature(config_.secret_access_key, scope,
                                                             string_to_sign(date, scope, request))});
  std::string url = fmt::format("https://{}{}", config_.endpoint, uri_encode(target.path, true));
  char separator = '?';
  for (const auto& [name, value] : target.query) {
    url += fmt::format("{}{}={}", separator, name, uri_encode(value));
    separator = '&';
  }
  return url;
}

S3Result<PresignedRequest> UrlPresigner::verify(std::string_view method, std::string_view target,
                                                std::string_view host) const {
  const auto parsed = parse_request_target(target);
  if (!parsed) return tl::unexpected(S3Error{400, "InvalidURI", "Couldn't parse the specified URI."});
  const auto given = read_authentication(parsed->query);
  if (!given) return tl::unexpected(given.error());
  if (const auto repeated = find_repeated(parsed->query)) {
    return query_error(fmt::format("The parameter {} is given more than once.", *repeated));
  }
  if (given->algorithm != kSigV4Algorithm) {
    return query_error(fmt::format("X-Amz-Algorithm only supports \"{}\"", kSigV4Algorithm));
  }
  if (given->signed_headers != "host") {
    return query_error("X-Amz-SignedHeaders must be \"host\": no other header is part of a presigned GET.");
  }
  const auto expires_at = check_time(*given, clock_.now());
  if (!expires_at) return tl::unexpected(expires_at.error());
  const auto credential = read_credential(given->credential, given->date, config_.region);
  if (!credential) return tl::unexpected(credential.error());
  if (credential->access_key_id != config_.access_key_id) {
    return tl::unexpected(S3Error{403,
                                  "InvalidAccessKeyId",
                                  "The AWS Access Key Id you provided does not exist in our records.",
                                  {{"AWSAccessKeyId", credential->access_key_id}}});
  }
  const std::string request = host_canonical_request(method, *parsed, host);
  const std::string to_sign = string_to_sign(given->date, credential->scope, request);
  const std::string expected = sigv4_signature(config_.secret_access_key, credential->scope, to_sign);
  if (!equal_in_constant_time(expected, given->signature)) {
    return tl::unexpected(
        S3Error{403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your "
                "key and signing method.",
                {{"AWSAccessKeyId", credential->access_key_id},
                 {"StringToSign", to_sign},
                 {"SignatureProvided", given->signature},
                 {"CanonicalRequest", request}}});
  }
  return PresignedRequest{object_location(*parsed), *expires_at};
}

}  // namespace otasim::cloud
