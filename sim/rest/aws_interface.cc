#include "sim/rest/aws_interface.h"

#include "sim/rest/jobs_data_api.h"
#include "sim/rest/signer_api.h"

namespace otasim::rest {

namespace {

/// What clients of 2022 and before (botocore 1.26) call the control plane in their signatures; AWS takes
/// both.
constexpr const char* kOldIotName = "execute-api";

JsonApiParts shared(const AwsInterfaceParts& parts, const AwsInterfaceOptions& options) {
  return {.log = parts.log, .clock = parts.cloud.clock(), .throttle = options.throttle};
}

}  // namespace

AwsInterface::AwsInterface(AwsInterfaceParts parts, const AwsInterfaceOptions& options, HttpHandler& s3)
    : services_{parts.cloud, parts.issuer, parts.endpoint},
      verifier_({options.access_key_id, options.secret_access_key}, parts.cloud.clock()),
      iot_(ApiStyle::kIot, iot_routes(services_),
           std::make_unique<SignatureAuthenticator>(verifier_, std::vector<std::string>{"iot", kOldIotName}),
           shared(parts, options)),
      jobs_data_(
          ApiStyle::kJobsData, jobs_data_routes(parts.cloud),
          std::make_unique<SignatureAuthenticator>(verifier_, std::vector<std::string>{"iot-jobs-data"}),
          shared(parts, options)),
      mutual_tls_(ApiStyle::kJobsData, jobs_data_routes(parts.cloud),
                  std::make_unique<CertificateAuthenticator>(parts.cloud), shared(parts, options)),
      signer_(ApiStyle::kSigner, signer_routes(parts.cloud.signing_jobs()),
              std::make_unique<SignatureAuthenticator>(verifier_, std::vector<std::string>{"signer"}),
              shared(parts, options)),
      acm_(parts.cloud.signing_certificates(), verifier_, shared(parts, options)),
      dispatcher_(parts.cloud.clock(), s3) {
  dispatcher_.add("iot", iot_, [this](const HttpRequestHead& head) { return iot_.recognizes(head); });
  dispatcher_.add(kOldIotName, iot_);
  dispatcher_.add("iot-jobs-data", jobs_data_);
  dispatcher_.add("s3", s3);
  dispatcher_.add("signer", signer_,
                  [this](const HttpRequestHead& head) { return signer_.recognizes(head); });
  dispatcher_.add("acm", acm_, &AcmApi::recognizes);
}

}  // namespace otasim::rest
