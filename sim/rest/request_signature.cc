#include "sim/rest/request_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/text.h"
#include "sim/cloud/presigned_url.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"

namespace otasim::rest {

namespace {

using cloud::QueryParameter;

constexpr std::size_t kDateLength = 8;
constexpr std::size_t kScopeParts = 5;
constexpr std::size_t kSignatureDigits = 64;
/// More would be no use to anybody.
constexpr std::size_t kMaxSignedHeaders = 64;
constexpr std::string_view kSecurityToken = "x-amz-security-token";

tl::unexpected<SignatureError> problem(SignatureProblem what, std::string detail) {
  return tl::unexpected(SignatureError{what, std::move(detail), {}, {}});
}

/// A header's value as it is signed: trimmed, and each run of blanks one blank.
std::string signed_value(std::string_view value) {
  std::string text;
  for (const char c : trim(value)) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && text.ends_with(' ')) continue;
    text += blank ? ' ' : c;
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(at); end != std::string_view::npos; end = text.find(at)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The parts of a signature as texts, from wherever they came.
struct Parts {
  std::string algorithm;
  std::string credential;
  std::string date;
  std::optional<std::string> expires;
  std::string signed_headers;
  std::string signature;
};

/// Takes `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...` apart.
SignatureResult<Parts> parts_of_header(const HttpRequestHead& head) {
  const auto value = head.single("Authorization");
  if (!value) return problem(SignatureProblem::kIncomplete, "The Authorization header is given twice.");
  Parts parts;
  const std::size_t space = value->find(' ');
  parts.algorithm = std::string(value->substr(0, space));
  if (space == std::string_view::npos) return parts;
  for (const std::string_view part : split(value->substr(space + 1), ',')) {
    const std::string_view text = trim(part);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    std::string* const into = name == "Credential"      ? &parts.credential
                              : name == "SignedHeaders" ? &parts.signed_headers
                              : name == "Signature"     ? &parts.signature
                                                        : nullptr;
    if (into == nullptr) continue;
    if (!into->empty()) {
      return problem(SignatureProblem::kIncomplete,
                     fmt::format("Authorization header gives '{}' twice.", name));
    }
    *into = std::string(text.substr(equals + 1));
  }
  parts.date = head.text(head.count("X-Amz-Date") > 0 ? "X-Amz-Date" : "Date");
  return parts;
}

SignatureResult<Parts> parts_of_query(const std::vector<QueryParameter>& query) {
  Parts parts;
  std::string expires;
  const std::array kNames{"X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",
                          "X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature"};
  const std::array into{&parts.algorithm, &parts.credential,     &parts.date,
                        &expires,         &parts.signed_headers, &parts.signature};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto matches = [&](const QueryParameter& parameter) { return parameter.name == kNames[i]; };
    if (std::ranges::count_if(query, matches) > 1) {
      return problem(SignatureProblem::kIncomplete,
                     fmt::format("The parameter {} is given more than once.", kNames[i]));
    }
    const auto found = std::ranges::find_if(query, matches);
    if (found == query.end()) continue;
    *into[i] = found->value;
    if (into[i] == &expires) parts.expires = expires;
  }
  return parts;
}

bool is_signed_in_query(const std::vector<QueryParameter>& query) {
  return std::ranges::any_of(query, [](const QueryParameter& parameter) {
    return parameter.name == "X-Amz-Algorithm" || parameter.name == "X-Amz-Signature" ||
           parameter.name == "X-Amz-Credential";
  });
}

SignatureResult<void> check_complete(const Parts& parts, bool in_query) {
  if (parts.algorithm != cloud::kSigV4Algorithm) {
    return problem(SignatureProblem::kWrongAlgorithm, fmt::format("Unsupported algorithm '{}': only {} is.",
                                                                  parts.algorithm, cloud::kSigV4Algorithm));
  }
  std::string missing;
  const auto demand = [&](const char* name, const std::string& value) {
    const char* const where =
        in_query ? "AWS query-string parameters must include" : "Authorization header requires";
    if (value.empty())
      missing += fmt::format("{}{} '{}' parameter.", missing.empty() ? "" : " ", where, name);
  };
  demand(in_query ? "X-Amz-Credential" : "Credential", parts.credential);
  demand(in_query ? "X-Amz-Signature" : "Signature", parts.signature);
  demand(in_query ? "X-Amz-SignedHeaders" : "SignedHeaders", parts.signed_headers);
  if (parts.date.empty() && missing.empty()) {
    missing = in_query
                  ? "AWS query-string parameters must include 'X-Amz-Date'."
                  : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
  }
  if (!missing.empty()) return problem(SignatureProblem::kIncomplete, std::move(missing));
  return {};
}

SignatureResult<void> read_credential(const std::string& text, RequestSignature& into) {
  const auto parts = split(text, '/');
  // A key may have slashes in it; what follows it has none.
  if (parts.size() < kScopeParts || parts[0].empty()) {
    return problem(SignatureProblem::kIncomplete,
                   fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                               "keyid/date/region/service/term, got '{}'",
                               text));
  }
  const std::size_t first = parts.size() - (kScopeParts - 1);
  if (parts[first + 3] != cloud::kSigV4Terminator) {
    return problem(SignatureProblem::kWrongScope,
                   fmt::format("Credential should be scoped with a valid terminator: '{}', not '{}'.",
                               cloud::kSigV4Terminator, parts[first + 3]));
  }
  into.access_key_id = text.substr(0, static_cast<std::size_t>(parts[first].data() - text.data()) - 1);
  into.scope = {std::string(parts[first]), std::string(parts[first + 1]), std::string(parts[first + 2])};
  return {};
}

SignatureResult<void> read_signed_headers(const std::string& text, RequestSignature& into) {
  for (const std::string_view name : split(text, ';')) into.signed_headers.emplace_back(name);
  const bool sorted = std::ranges::is_sorted(into.signed_headers) &&
                      std::ranges::adjacent_find(into.signed_headers) == into.signed_headers.end();
  const bool lower = std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!sorted || !lower || into.signed_headers.front().empty() ||
      into.signed_headers.size() > kMaxSignedHeaders) {
    return problem(SignatureProblem::kIncomplete,
                   "SignedHeaders must be lower-case names of headers in their order, each once.");
  }
  return {};
}

/// S3 wants a URL to say how long it lives; elsewhere one that does not say lives as long as a header.
SignatureResult<void> read_lifetime(const std::optional<std::string>& text, RequestSignature& into) {
  if (!into.in_query) return {};
  if (!text && into.scope.service == "s3") {
    return problem(SignatureProblem::kIncomplete,
                   "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                   "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  }
  if (!text) return {};
  const auto seconds = cloud::parse_presigned_lifetime(*text);
  if (!seconds) return problem(SignatureProblem::kIncomplete, seconds.error().message);
  into.expires_in = *seconds;
  return {};
}

/// Host, and what AWS's own headers say, must not be anybody else's.
SignatureResult<void> check_signed_headers(const HttpRequestHead& head, const RequestSignature& signature) {
  if (!signature.is_signed_header("host")) {
    return problem(SignatureProblem::kUnsignedHeaders,
                   "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const auto& [name, value] : head.headers) {
    const std::string lower = to_lower(name);
    // Proxies may add others; a security token is known to be left out by some signers.
    if (!lower.starts_with("x-amz-") || lower == kSecurityToken || lower == "x-amz-content-sha256") continue;
    if (!signature.is_signed_header(lower)) {
      return problem(
          SignatureProblem::kUnsignedHeaders,
          fmt::format("There were headers present in the request which were not signed: {}", lower));
    }
  }
  return {};
}

std::string window(std::int64_t now, const char* sign) {
  const std::int64_t edge = now + (sign[0] == '+' ? kMaxClockSkewSeconds : -kMaxClockSkewSeconds);
  return fmt::format("{} ({} {} 15 min.)", cloud::amz_date(edge), cloud::amz_date(now), sign);
}

}  // namespace

bool RequestSignature::is_signed_header(std::string_view name) const {
  return std::ranges::find(signed_headers, name) != signed_headers.end();
}

std::optional<std::string> RequestSignature::payload() const {
  if (declared_payload) return declared_payload;
  if (in_query && scope.service == "s3") return std::string(cloud::kUnsignedPayload);
  return std::nullopt;
}

SignatureResult<RequestSignature> read_signature(const HttpRequestHead& head) {
  auto target = cloud::parse_request_target(head.target);
  if (!target) return problem(SignatureProblem::kMalformedTarget, "The request's target is no path.");
  const bool in_header = head.count("Authorization") > 0;
  const bool in_query = is_signed_in_query(target->query);
  if (!in_header && !in_query) return problem(SignatureProblem::kMissing, "Missing Authentication Token");
  if (in_header && in_query) {
    return problem(SignatureProblem::kIncomplete,
                   "A request is signed in its header or its query, not both.");
  }
  const auto parts = in_header ? parts_of_header(head) : parts_of_query(target->query);
  if (!parts) return tl::unexpected(parts.error());
  if (auto complete = check_complete(*parts, in_query); !complete) return tl::unexpected(complete.error());

  RequestSignature signature;
  signature.in_query = in_query;
  signature.target = *std::move(target);
  signature.date = parts->date;
  signature.signature = parts->signature;
  if (auto read = read_credential(parts->credential, signature); !read) return tl::unexpected(read.error());
  if (auto read = read_signed_headers(parts->signed_headers, signature); !read) {
    return tl::unexpected(read.error());
  }
  if (auto read = read_lifetime(parts->expires, signature); !read) return tl::unexpected(read.error());
  const auto signed_at = cloud::parse_amz_date(parts->date);
  if (!signed_at) {
    return problem(SignatureProblem::kIncomplete,
                   fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                               "http://en.wikipedia.org/wiki/ISO_8601",
                               parts->date));
  }
  signature.signed_at = *signed_at;
  if (parts->signature.size() != kSignatureDigits || !is_hex(parts->signature)) {
    return problem(SignatureProblem::kIncomplete, "Signature must be 64 lower-case hexadecimal digits.");
  }
  if (head.count("x-amz-content-sha256") > 1 || head.count(kSecurityToken) > 1) {
    return problem(SignatureProblem::kIncomplete, "A header of the signature is given twice.");
  }
  if (const auto declared = head.single("x-amz-content-sha256")) signature.declared_payload = *declared;
  if (auto checked = check_signed_headers(head, signature); !checked) return tl::unexpected(checked.error());
  return signature;
}

std::optional<std::string> claimed_service(const HttpRequestHead& head) {
  std::string credential;
  if (const auto header = head.single("Authorization")) {
    const std::size_t at = header->find("Credential=");
    if (at == std::string_view::npos) return std::nullopt;
    credential = std::string(header->substr(at, header->find_first_of(", ", at) - at));
  } else if (const auto target = cloud::parse_request_target(head.target)) {
    const auto found = std::ranges::find(target->query, "X-Amz-Credential", &QueryParameter::name);
    if (found == target->query.end()) return std::nullopt;
    credential = found->value;
  }
  const auto parts = split(credential, '/');
  if (parts.size() < kScopeParts) return std::nullopt;
  return std::string(parts[parts.size() - 2]);
}

std::string normalized_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string normal;
  for (const std::string_view segment : kept) {
    normal += '/';
    normal += segment;
  }
  if (normal.empty() || path.ends_with('/')) normal += '/';
  return normal;
}

std::string canonical_request_of(const HttpRequestHead& head, const RequestSignature& signature,
                                 std::string_view payload_hash) {
  const std::string path =
      signature.scope.service == "s3"
          ? signature.target.path
          : normalized_path(std::string_view(head.target).substr(0, head.target.find('?')));
  std::vector<QueryParameter> query = signature.target.query;
  if (signature.in_query) {
    std::erase_if(query, [](const QueryParameter& p) { return p.name == "X-Amz-Signature"; });
  }
  std::vector<cloud::SignedHeader> headers;
  for (const std::string& name : signature.signed_headers) {
    std::string values;
    bool first = true;
    for (const auto& [field, value] : head.headers) {
      if (!same_field(field, name)) continue;
      if (!first) values += ',';
      values += signed_value(value);
      first = false;
    }
    headers.push_back({name, std::move(values)});
  }
  return cloud::canonical_request({head.method, path, std::move(query), std::move(headers), payload_hash});
}

SignatureResult<void> RequestVerifier::check(const RequestSignature& signature,
                                             std::string_view service) const {
  if (signature.access_key_id != config_.access_key_id) {
    return problem(SignatureProblem::kUnknownKey, "The security token included in the request is invalid.");
  }
  if (signature.scope.date != signature.date.substr(0, kDateLength)) {
    return problem(
        SignatureProblem::kWrongScope,
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                    "from HTTP: '{}' != '{}', from '{}'.",
                    signature.scope.date, signature.date.substr(0, kDateLength), signature.date));
  }
  if (signature.scope.region != config_.region) {
    return problem(SignatureProblem::kWrongScope, "Credential should be scoped to a valid region. ");
  }
  if (signature.scope.service != service) {
    return problem(SignatureProblem::kWrongService,
                   fmt::format("Credential should be scoped to correct service: '{}'. ", service));
  }
  const std::int64_t now = clock_.now();
  const std::int64_t lifetime =
      signature.in_query && signature.expires_in ? *signature.expires_in : kMaxClockSkewSeconds;
  if (signature.signed_at < now && now - signature.signed_at > lifetime) {
    return problem(SignatureProblem::kExpired, fmt::format("Signature expired: {} is now earlier than {}",
                                                           signature.date, window(now, "-")));
  }
  if (signature.signed_at - now > kMaxClockSkewSeconds) {
    return problem(SignatureProblem::kNotYetValid,
                   fmt::format("Signature not yet current: {} is still later than {}", signature.date,
                               window(now, "+")));
  }
  return {};
}

SignatureResult<void> RequestVerifier::verify(const HttpRequestHead& head, const RequestSignature& signature,
                                              std::string_view payload_hash) const {
  std::string request = canonical_request_of(head, signature, payload_hash);
  std::string to_sign = cloud::string_to_sign(signature.date, signature.scope, request);
  const std::string expected = cloud::sigv4_signature(config_.secret_access_key, signature.scope, to_sign);
  if (cloud::equal_in_constant_time(expected, signature.signature)) return {};
  return tl::unexpected(SignatureError{
      SignatureProblem::kMismatch,
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
      "Access Key and signing method. Consult the service documentation for details.",
      std::move(request), std::move(to_sign)});
}

SignatureResult<RequestSignature> RequestVerifier::verify_request(const HttpRequestHead& head,
                                                                  std::string_view service,
                                                                  std::string_view body_hash) const {
  auto signature = read_signature(head);
  if (!signature) return signature;
  if (auto checked = check(*signature, service); !checked) return tl::unexpected(checked.error());
  const std::string payload = signature->payload().value_or(std::string(body_hash));
  if (auto verified = verify(head, *signature, payload); !verified) return tl::unexpected(verified.error());
  if (payload != body_hash && payload != cloud::kUnsignedPayload) {
    return problem(SignatureProblem::kPayloadMismatch,
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  return signature;
}

}  // namespace otasim::rest
