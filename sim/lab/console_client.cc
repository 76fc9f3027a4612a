#include "sim/lab/console_client.h"

#include "sim/broker/iot_policy.h"

namespace otasim::lab {

namespace {

constexpr const char* kConsolePolicy = "otasim-console";

}  // namespace

Result<Identity> register_console(RunningLab& lab) {
  const auto failed = [](const cloud::ServiceError& error) {
    return tl::unexpected(error.to_error("cannot register the console's certificate"));
  };
  auto identity = lab.identities().console();
  if (!identity) return identity;
  cloud::Cloud& cloud = lab.cloud();
  const auto certificate = cloud.certificates().register_certificate(identity->certificate.pem());
  if (!certificate) return failed(certificate.error());
  const auto name = cloud::PolicyName::trusted(kConsolePolicy);
  const auto made = cloud.policies().create(name, broker::open_policy());
  if (!made && made.error().code != cloud::ErrorCode::kResourceAlreadyExists) return failed(made.error());
  if (const auto attached = cloud.policies().attach(name, certificate->id); !attached) {
    return failed(attached.error());
  }
  return identity;
}

}  // namespace otasim::lab
