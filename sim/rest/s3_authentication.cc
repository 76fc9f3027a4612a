#include "sim/rest/s3_authentication.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"

namespace otasim::rest {

namespace {

using cloud::S3Error;
using cloud::S3Result;

constexpr std::size_t kHashDigits = 64;
/// An element of its own: the message is AWS's.
constexpr const char* kVersion4Remedy =
    "The request is signed with version 2. Older SDKs presign with it unless signature_version is s3v4: "
    "Config(signature_version='s3v4') in boto3, s3.signature_version = s3v4 in the profile of the AWS CLI.";

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_payload(std::string_view text) {
  constexpr std::array<std::string_view, 4> kNames{
      cloud::kUnsignedPayload, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"};
  return is_hash(text) || std::ranges::find(kNames, text) != kNames.end();
}

/// @returns null if there is none
const std::string* find(const cloud::RequestTarget& target, std::string_view name) {
  const auto found = std::ranges::find(target.query, name, &cloud::QueryParameter::name);
  return found == target.query.end() ? nullptr : &found->value;
}

bool is_signed_by_host_only(const HttpRequestHead& head, const cloud::RequestTarget& target) {
  if (head.count("Authorization") > 0) return false;
  const std::string* const headers = find(target, "X-Amz-SignedHeaders");
  return headers == nullptr || *headers == "host";
}

/// Version 2 of signatures, which S3 takes for no bucket of these years.
bool is_signed_in_version_2(const HttpRequestHead& head, const cloud::RequestTarget& target) {
  return head.text("Authorization").starts_with("AWS ") || find(target, "AWSAccessKeyId") != nullptr;
}

S3Error unsupported_mechanism() {
  return {400, "InvalidRequest",
          "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."};
}

/// A header of AWS's own that changes what a presigned request does, and was not signed with it.
std::optional<std::string> unsigned_header(const HttpRequestHead& head) {
  constexpr std::array<std::string_view, 3> kHarmless{"x-amz-content-sha256", "x-amz-security-token",
                                                      "x-amz-checksum-mode"};
  constexpr std::string_view kPrefix = "x-amz-";
  for (const auto& field : head.headers) {
    const std::string& name = field.first;
    if (!same_field(std::string_view(name).substr(0, kPrefix.size()), kPrefix)) continue;
    const auto is_this = [&name](std::string_view harmless) { return same_field(name, harmless); };
    if (std::ranges::none_of(kHarmless, is_this)) return name;
  }
  return std::nullopt;
}

/// The problem, in S3's words.
S3Error worded(const SignatureError& error, const HttpRequestHead& head, const RequestSignature* signature,
               std::int64_t now) {
  const bool in_query = head.count("Authorization") == 0;
  const std::string key = signature == nullptr ? std::string{} : signature->access_key_id;
  switch (error.problem) {
    case SignatureProblem::kMissing:
      return {403, "AccessDenied", "Access Denied"};
    case SignatureProblem::kMalformedTarget:
      return {400, "InvalidURI", "Couldn't parse the specified URI."};
    case SignatureProblem::kWrongAlgorithm:
      return unsupported_mechanism();
    case SignatureProblem::kIncomplete:
    case SignatureProblem::kWrongScope:
    case SignatureProblem::kWrongService:
      if (in_query) return {400, "AuthorizationQueryParametersError", error.detail};
      return {400, "AuthorizationHeaderMalformed",
              fmt::format("The authorization header is malformed; {}", error.detail)};
    case SignatureProblem::kUnsignedHeaders:
      return {403, "AccessDenied", error.detail};
    case SignatureProblem::kUnknownKey:
      return {403,
              "InvalidAccessKeyId",
              "The AWS Access Key Id you provided does not exist in our records.",
              {{"AWSAccessKeyId", key}}};
    case SignatureProblem::kExpired:
    case SignatureProblem::kNotYetValid:
      if (in_query) {
        const bool expired = error.problem == SignatureProblem::kExpired;
        return {403,
                "AccessDenied",
                expired ? "Request has expired" : "Request is not valid yet",
                {{"ServerTime", cloud::iso8601(now)}}};
      }
      return {403,
              "RequestTimeTooSkewed",
              "The difference between the request time and the current time is too large.",
              {{"RequestTime", signature == nullptr ? "" : signature->date},
               {"ServerTime", cloud::iso8601(now)},
               {"MaxAllowedSkewMilliseconds", fmt::format("{}", kMaxClockSkewSeconds * 1000)}}};
    case SignatureProblem::kPayloadMismatch:
      return {400, "XAmzContentSHA256Mismatch",
              "The provided 'x-amz-content-sha256' header does not match what was computed."};
    case SignatureProblem::kMismatch:
      return {403,
              "SignatureDoesNotMatch",
              "The request signature we calculated does not match the signature you provided. Check your key "
              "and signing method.",
              {{"AWSAccessKeyId", key},
               {"StringToSign", error.string_to_sign},
               {"SignatureProvided", signature == nullptr ? "" : signature->signature},
               {"CanonicalRequest", error.canonical_request}}};
  }
  return {403, "AccessDenied", "Access Denied"};
}

}  // namespace

S3Result<S3Caller> authenticate_s3(const HttpRequestHead& head, const cloud::RequestTarget& target,
                                   const RequestVerifier& verifier, const cloud::UrlPresigner& presigner) {
  if (is_signed_in_version_2(head, target)) {
    S3Error error = unsupported_mechanism();
    error.details = {{"Remedy", kVersion4Remedy}};
    return tl::unexpected(std::move(error));
  }
  S3Caller caller;
  if (is_signed_by_host_only(head, target)) {
    const auto presigned = presigner.verify(head.method, head.target, head.text("Host"));
    if (!presigned) return tl::unexpected(presigned.error());
    if (const auto name = unsigned_header(head)) {
      return tl::unexpected(S3Error{403,
                                    "AccessDenied",
                                    "There were headers present in the request which were not signed",
                                    {{"HeadersNotSigned", *name}}});
    }
    caller.presigned_expires_at = presigned->expires_at;
    return caller;
  }
  const std::int64_t now = verifier.clock().now();
  const auto signature = read_signature(head);
  if (!signature) return tl::unexpected(worded(signature.error(), head, nullptr, now));
  if (const auto checked = verifier.check(*signature, "s3"); !checked) {
    return tl::unexpected(worded(checked.error(), head, &*signature, now));
  }
  const auto payload = signature->payload();
  if (!payload) {
    return tl::unexpected(
        S3Error{400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"});
  }
  if (!is_payload(*payload)) {
    return tl::unexpected(S3Error{
        400,
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 "
        "value.",
        {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", *payload}}});
  }
  if (const auto verified = verifier.verify(head, *signature, *payload); !verified) {
    return tl::unexpected(worded(verified.error(), head, &*signature, now));
  }
  caller.payload = *payload;
  caller.scope = signature->scope;
  caller.date = signature->date;
  caller.signature = signature->signature;
  if (signature->expires_in) caller.presigned_expires_at = signature->signed_at + *signature->expires_in;
  return caller;
}

}  // namespace otasim::rest
