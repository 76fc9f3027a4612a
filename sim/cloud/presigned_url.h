// Presigned URLs of S3 (SigV4 query signing): made for devices, checked when they come back.
//
//   UrlPresigner presigner({.access_key_id = ..., .secret_access_key = ...}, clock, random_uuid);
//   presigner.set_endpoint("otasim.localhost:8443");            // once the server listens
//   std::string url = presigner.presign_get(object.location, 1800);
//   auto request = presigner.verify("GET", target, host);       // the request's target and Host header
//
// A URL has the form that AWS gives those of an assumed role, path style:
//   https://HOST:PORT/bucket/key?X-Amz-Algorithm=...&X-Amz-Credential=...&X-Amz-Date=...&X-Amz-Expires=...
//     &X-Amz-Security-Token=...&X-Amz-SignedHeaders=host&versionId=...&X-Amz-Signature=...
// The security token is opaque and fresh, so that no URL equals an earlier one.
//
// verify() trusts nothing it is given. Whatever is changed in a URL, or the method, or the host it is sent
// to, makes it worthless; only another spelling of the same bytes (percent encoding, order of parameters)
// keeps its signature.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/cloud/clock.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/uri_encoding.h"

namespace otasim::cloud {

/// S3's longest life of a URL.
inline constexpr std::int64_t kMaxPresignedSeconds = 604800;

struct PresignerConfig {
  std::string endpoint = {};  ///< HOST:PORT; may be set later
  std::string region = "us-east-1";
  std::string access_key_id = {};
  std::string secret_access_key = {};
};

/// What a valid URL asks for.
struct PresignedRequest {
  ObjectLocation object;        ///< the version is empty for the latest, the key for a request on the bucket
  std::int64_t expires_at = 0;  ///< epoch seconds; the last second in which the URL is good
};

/// Reads X-Amz-Expires. @returns 1 to kMaxPresignedSeconds; 400 AuthorizationQueryParametersError
[[nodiscard]] S3Result<std::int64_t> parse_presigned_lifetime(std::string_view text);

/// What a target names, path style, signed or not.
[[nodiscard]] ObjectLocation object_location(const RequestTarget& target);

class UrlPresigner {
 public:
  /// @param clock  must outlive the presigner
  UrlPresigner(PresignerConfig config, const Clock& clock, UuidSource uuid);

  /// @param host_and_port  as clients will send it in the Host header; HTTPS's own port 443 is left out there
  void set_endpoint(std::string host_and_port);
  [[nodiscard]] const PresignerConfig& config() const { return config_; }
  /// Whether it is known where URLs lead.
  [[nodiscard]] bool has_endpoint() const { return !config_.endpoint.empty(); }

  /// A URL that gets the object for so many seconds, 1 to kMaxPresignedSeconds: outside of that, S3 refuses
  /// the URL when it is used. The latest version if the location has none.
  [[nodiscard]] std::string presign_get(const ObjectLocation& object, std::int64_t expires_in_seconds) const;
  /// The same for another method: a URL is good for one only.
  [[nodiscard]] std::string presign(std::string_view method, const ObjectLocation& object,
                                    std::int64_t expires_in_seconds) const;

  /// Checks a request by the clock's time.
  /// @returns 400 InvalidURI                         the target is no path, or its encoding is broken
  ///          403 AccessDenied                       it is not signed, has expired, or is not valid yet
  ///          400 AuthorizationQueryParametersError  a parameter is missing, malformed, given twice or wrong
  ///          403 InvalidAccessKeyId                 it is signed with a key of somebody else
  ///          403 SignatureDoesNotMatch              anything was changed, or it was sent to another host
  [[nodiscard]] S3Result<PresignedRequest> verify(std::string_view method, std::string_view target,
                                                  std::string_view host) const;

 private:
  PresignerConfig config_;
  const Clock& clock_;
  UuidSource uuid_;
};

}  // namespace otasim::cloud
