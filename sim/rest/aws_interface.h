// The cloud's whole AWS interface as two handlers: one for signed requests, one for connections with a
// device's certificate.
//
//   AwsInterface aws({cloud, issuer, clock, log, endpoints}, {.access_key_id = ..., .throttle = false}, s3);
//   auto https = HttpServer::start(io, aws.signed_requests(), {...});
//   auto jobs = HttpServer::start(io, aws.mutual_tls(), {.clients = {.required = true}, ...});
//
// Services: `iot`, `iot-jobs-data`, `s3`, `signer`, `acm` and what add() brings.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/cloud/cloud.h"
#include "sim/rest/acm_api.h"
#include "sim/rest/dispatcher.h"
#include "sim/rest/iot_api.h"
#include "sim/rest/json_api.h"
#include "sim/rest/request_signature.h"

namespace otasim::rest {

/// What it stands on; all references must outlive it.
struct AwsInterfaceParts {
  cloud::Cloud& cloud;
  CertificateIssuer& issuer;
  report::EventLog& log;
  /// As IotServices::endpoint.
  std::function<std::optional<std::string>(std::string_view type)> endpoint;
};

struct AwsInterfaceOptions {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  bool throttle = false;  ///< at AWS's default rates
};

class AwsInterface {
 public:
  /// @param s3  gets what is signed for `s3`, and what is not signed at all; must outlive this
  AwsInterface(AwsInterfaceParts parts, const AwsInterfaceOptions& options, HttpHandler& s3);
  AwsInterface(const AwsInterface&) = delete;
  AwsInterface& operator=(const AwsInterface&) = delete;

  [[nodiscard]] HttpHandler& signed_requests() { return dispatcher_; }
  [[nodiscard]] HttpHandler& mutual_tls() { return mutual_tls_; }
  /// Another service on the same port. @param front_end  must outlive this
  void add(std::string service, HttpHandler& front_end, Dispatcher::Recognizes recognizes = {}) {
    dispatcher_.add(std::move(service), front_end, std::move(recognizes));
  }
  /// For front ends that verify requests themselves.
  [[nodiscard]] const RequestVerifier& verifier() const { return verifier_; }

 private:
  IotServices services_;
  RequestVerifier verifier_;
  JsonApi iot_;
  JsonApi jobs_data_;
  JsonApi mutual_tls_;
  JsonApi signer_;
  AcmApi acm_;
  Dispatcher dispatcher_;
};

}  // namespace otasim::rest
