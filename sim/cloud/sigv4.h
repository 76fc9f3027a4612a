// AWS Signature Version 4: what is signed, and with what.
//
//   const std::string request = canonical_request({"GET", path, query, {{"host", host}}, kUnsignedPayload});
//   sigv4_signature(secret, scope, string_to_sign(amz_date, scope, request));
//
// Pure functions of their arguments. Path and query are given decoded and encoded anew, as S3 does, so that
// two spellings of one URL have one signature. S3 encodes a path once; other services would encode it twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/uri_encoding.h"

namespace otasim::cloud {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kSigV4Terminator = "aws4_request";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// What a signing key is good for.
struct CredentialScope {
  std::string date;  ///< `20130524`
  std::string region;
  std::string service;

  /// `20130524/us-east-1/s3/aws4_request`
  [[nodiscard]] std::string str() const;
};

struct SignedHeader {
  std::string name;  ///< lower case
  std::string value;
};

struct SignableRequest {
  std::string_view method;
  std::string_view path;              ///< decoded
  std::vector<QueryParameter> query;  ///< decoded, without X-Amz-Signature; in any order
  std::vector<SignedHeader> headers;  ///< sorted by name
  std::string_view payload_hash;      ///< lower-case hex, or kUnsignedPayload
};

[[nodiscard]] std::string canonical_request(const SignableRequest& request);

/// @param amz_date  X-Amz-Date
[[nodiscard]] std::string string_to_sign(std::string_view amz_date, const CredentialScope& scope,
                                         std::string_view canonical_request);

/// @returns the signature, 64 lower-case hexadecimal digits
[[nodiscard]] std::string sigv4_signature(std::string_view secret_access_key, const CredentialScope& scope,
                                          std::string_view string_to_sign);

/// Compares in a time that does not depend on where the texts differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace otasim::cloud
