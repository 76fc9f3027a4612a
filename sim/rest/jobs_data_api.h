// The jobs data plane: what devices do with their jobs, over HTTPS instead of MQTT.
//
//   JsonApi signed_data(ApiStyle::kJobsData, jobs_data_routes(cloud), SignatureAuthenticator(verifier,
//                       {"iot-jobs-data"}), parts);
//   JsonApi mutual_tls(ApiStyle::kJobsData, jobs_data_routes(cloud), CertificateAuthenticator(cloud), parts);
//
// The same four operations for signed requests and for connections with a device's certificate. A certificate
// must be registered, ACTIVE and not expired, and acts for the things it is attached to, as far as its
// policies (iot_policy.h) allow `iotjobsdata:<operation>` on the thing's ARN: else it is 403. With a device
// that has no client id, the policies' `iot:Connection.Thing.ThingName` is the thing of the path.
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
  [[nodiscard]] std::optional<ApiError> refuse_unread(const AskedOperation& asked) override;
  /// Asks again: rights may have changed while the body came.
  [[nodiscard]] std::optional<ApiError> refuse(const AskedOperation& asked,
                                               const std::string& /*body_hash*/) override {
    return refuse_unread(asked);
  }

 private:
  cloud::Cloud& cloud_;
};

}  // namespace otasim::rest
