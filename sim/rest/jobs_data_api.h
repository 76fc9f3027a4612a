// The jobs data plane: what devices do with their jobs, over HTTPS instead of MQTT.
//
//   JsonApi signed_data(ApiStyle::kJobsData, jobs_data_routes(cloud), SignatureAuthenticator(verifier,
//                       {"iot-jobs-data"}), parts);
//   JsonApi mutual_tls(ApiStyle::kJobsData, jobs_data_routes(cloud), CertificateAuthenticator(cloud), parts);
//
// The same four operations for signed requests and for connections with a device's certificate. A certificate
// must be registered, ACTIVE and not expired, and acts for the things it is attached to: another thing's path
// is 403.
#pragma once

#include <span>
#include <vector>

#include "sim/cloud/cloud.h"
#include "sim/rest/json_api.h"

namespace otasim::rest {

struct JobsDataOperation {
  Operation operation;
  ApiResult<Json> (*run)(cloud::Cloud& cloud, ApiCall& call);
};

[[nodiscard]] std::span<const JobsDataOperation> jobs_data_operations();
/// @param cloud  must outlive the routes
[[nodiscard]] std::vector<Route> jobs_data_routes(cloud::Cloud& cloud);

class CertificateAuthenticator final : public Authenticator {
 public:
  explicit CertificateAuthenticator(cloud::Cloud& cloud) : cloud_(cloud) {}
  [[nodiscard]] std::optional<ApiError> refuse(const HttpRequestHead& head, const UriValues& values,
                                               const std::string& body_hash) override;

 private:
  cloud::Cloud& cloud_;
};

}  // namespace otasim::rest
