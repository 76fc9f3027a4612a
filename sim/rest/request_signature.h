// Who signed a request: AWS Signature Version 4, in the Authorization header or in the query, for any
// service.
//
//   RequestVerifier verifier({.access_key_id = ..., .secret_access_key = ...}, clock);
//   auto signature = read_signature(head);             // whose, for which service: enough to route it
//   if (signature) auto caller = verifier.verify(head, *signature, sha256_hex_of_the_body);
//
// Three steps, because a body comes after its header: read_signature() takes the request apart;
// check() does what needs neither the secret nor the body; verify() is the whole. A request whose payload()
// is declared can be verified before its body, which is then held against what was declared.
//
// S3 encodes a path once, every other service the path as it came a second time, dot segments and empty ones
// taken out. Headers are joined and trimmed as AWS says. Whatever signed headers, path, query, method or
// payload are changed on the way makes the signature worthless. Session tokens are part of what is signed and
// otherwise ignored: the lab knows one key.
//
// Errors are reasons, worded by each front end in its service's way.
//
// Source: AWS General Reference, "Signature Version 4 signing process".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/sigv4.h"
#include "sim/rest/http_message.h"

namespace otasim::rest {

/// How far a signer's clock may be off.
inline constexpr std::int64_t kMaxClockSkewSeconds = 900;

enum class SignatureProblem {
  kMissing,          ///< it is not signed at all
  kIncomplete,       ///< a part of the signature is missing, malformed or given twice
  kMalformedTarget,  ///< the target is no path, or its percent encoding is broken
  kWrongAlgorithm,   ///< not AWS4-HMAC-SHA256
  kUnsignedHeaders,  ///< host or a header of AWS's own (x-amz-, x-amzn-) is not among the signed ones
  kUnknownKey,       ///< signed with a key of somebody else
  kWrongScope,       ///< for another date, region or terminator
  kWrongService,     ///< for another service than the one asked
  kExpired,          ///< signed too long ago
  kNotYetValid,      ///< signed in the future
  kPayloadMismatch,  ///< the body is not the one that was declared
  kMismatch,         ///< anything was changed, or the secret is another one
};

struct SignatureError {
  SignatureProblem problem = SignatureProblem::kMissing;
  std::string detail = {};             ///< a sentence
  std::string canonical_request = {};  ///< with kMismatch: what was to be signed
  std::string string_to_sign = {};     ///< with kMismatch
};

/// A request's signature, taken apart and not yet believed.
struct RequestSignature {
  std::string access_key_id = {};
  cloud::CredentialScope scope = {};
  std::string date = {};       ///< as it came: `20150830T123600Z`
  std::int64_t signed_at = 0;  ///< epoch seconds
  bool in_query = false;       ///< a presigned URL
  /// X-Amz-Expires of a presigned URL, 1 to cloud::kMaxPresignedSeconds; S3's always have one
  std::optional<std::int64_t> expires_in = {};
  std::vector<std::string> signed_headers = {};
  std::string signature = {};
  /// What the request says its payload's hash is (x-amz-content-sha256): 64 hexadecimal digits,
  /// `UNSIGNED-PAYLOAD`, `STREAMING-...`; nothing if it does not say.
  std::optional<std::string> declared_payload = {};
  cloud::RequestTarget target = {};

  [[nodiscard]] bool is_signed_header(std::string_view name) const;
  /// The declared payload; for a presigned URL of S3 `UNSIGNED-PAYLOAD`; nothing if only the body tells.
  [[nodiscard]] std::optional<std::string> payload() const;
};

template <typename T>
using SignatureResult = tl::expected<T, SignatureError>;

/// @returns kMissing, kIncomplete, kMalformedTarget, kWrongAlgorithm, kUnsignedHeaders
[[nodiscard]] SignatureResult<RequestSignature> read_signature(const HttpRequestHead& head);

/// The service that a request says it is signed for, as far as that can be read; nothing if it cannot. For
/// routing: what comes of it verifies the request.
[[nodiscard]] std::optional<std::string> claimed_service(const HttpRequestHead& head);

struct VerifierConfig {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string region = "us-east-1";
};

class RequestVerifier {
 public:
  /// @param clock  must outlive the verifier
  RequestVerifier(VerifierConfig config, const cloud::Clock& clock)
      : config_(std::move(config)), clock_(clock) {}

  /// @returns kUnknownKey, kWrongScope, kWrongService, kExpired, kNotYetValid
  [[nodiscard]] SignatureResult<void> check(const RequestSignature& signature,
                                            std::string_view service) const;
  /// The signature alone, after check(). @param payload_hash  what stands for the payload in what is signed
  /// @returns kMismatch
  [[nodiscard]] SignatureResult<void> verify(const HttpRequestHead& head, const RequestSignature& signature,
                                             std::string_view payload_hash) const;
  /// For a request whose body is not there yet: all checks that do without it; where the payload is declared,
  /// the signature's too. @returns any problem but kPayloadMismatch
  [[nodiscard]] SignatureResult<RequestSignature> verify_head(const HttpRequestHead& head,
                                                              std::string_view service) const;
  /// For a whole request whose body is there: all checks in AWS's order.
  /// @param body_hash  SHA-256 of the body, lower-case hex
  /// @returns any problem
  [[nodiscard]] SignatureResult<RequestSignature> verify_request(const HttpRequestHead& head,
                                                                 std::string_view service,
                                                                 std::string_view body_hash) const;

  [[nodiscard]] const VerifierConfig& config() const { return config_; }
  [[nodiscard]] const cloud::Clock& clock() const { return clock_; }

 private:
  VerifierConfig config_;
  const cloud::Clock& clock_;
};

/// What is signed of a request. @param payload_hash  as verify()
[[nodiscard]] std::string canonical_request_of(const HttpRequestHead& head, const RequestSignature& signature,
                                               std::string_view payload_hash);

/// A path as all services but S3 sign it, before it is encoded once more: without `.`, `..` and empty
/// segments.
[[nodiscard]] std::string normalized_path(std::string_view path);

}  // namespace otasim::rest
