// Who sent a request to S3, by its signature, in S3's words.
//
//   auto caller = authenticate_s3(head, target, verifier, presigner);   // before the body is there
//   if (caller) caller->payload;                                        // what the body must be
//
// A presigned URL with no signed header but `host` is what devices get: the presigner checks it. All else
// goes by the verifier.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/cloud/presigned_url.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/sigv4.h"
#include "sim/rest/request_signature.h"

namespace otasim::rest {

/// What a request says about its body, and has signed.
struct S3Caller {
  std::string payload{cloud::kUnsignedPayload};  ///< x-amz-content-sha256
  std::int64_t presigned_expires_at = 0;  ///< epoch seconds; 0 for a request that is signed in its header
  // What the chunks' signatures go on from:
  cloud::CredentialScope scope = {};
  std::string date = {};
  std::string signature = {};
};

/// @returns 403 AccessDenied, InvalidAccessKeyId, RequestTimeTooSkewed, SignatureDoesNotMatch
///          400 AuthorizationHeaderMalformed, AuthorizationQueryParametersError, InvalidRequest,
///          InvalidArgument
/// @param target  the head's, parsed
[[nodiscard]] cloud::S3Result<S3Caller> authenticate_s3(const HttpRequestHead& head,
                                                        const cloud::RequestTarget& target,
                                                        const RequestVerifier& verifier,
                                                        const cloud::UrlPresigner& presigner);

}  // namespace otasim::rest
