// The part of AWS Certificate Manager that code signing needs: certificates that users import.
//
//   AcmApi acm(cloud.signing_certificates(), verifier, {log, clock});
//   dispatcher.add("acm", acm, [](const auto& head) { return AcmApi::recognizes(head); });
//
// The protocol is AWS's JSON 1.1: all calls are `POST /`, the header X-Amz-Target names the operation
// (`CertificateManager.ImportCertificate`), errors are named in the body.
//
// What needs no body is checked before it; then the signature, the rate, JSON, the members.
//
// Each call is one event when it is answered: source `cloud`, event `api_request` {service, operation,
// status, error?}.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/cloud/signing_certificates.h"
#include "sim/rest/api_call.h"
#include "sim/rest/http_server.h"
#include "sim/rest/json_api.h"
#include "sim/rest/operation.h"
#include "sim/rest/request_signature.h"
#include "sim/rest/throttle.h"

namespace otasim::rest {

class AcmApi final : public HttpHandler {
 public:
  /// @param certificates, verifier  must outlive the handler, and what the parts refer to
  AcmApi(cloud::SigningCertificates& certificates, const RequestVerifier& verifier, JsonApiParts parts)
      : certificates_(certificates), authenticator_(verifier, {"acm"}), parts_(std::move(parts)) {}

  Decision begin(const HttpRequestHead& head) override;
  HttpResponse refuse(const HttpRefusal& refusal) override;
  [[nodiscard]] static bool recognizes(const HttpRequestHead& head);

 private:
  class Exchange;

  [[nodiscard]] HttpResponse answer(const HttpRequestHead& head, const std::string& body);
  [[nodiscard]] ApiResult<Json> call(const HttpRequestHead& head, const std::string& body);
  [[nodiscard]] HttpResponse finish(const ApiResult<Json>& result, const std::string& operation);

  cloud::SigningCertificates& certificates_;
  SignatureAuthenticator authenticator_;
  JsonApiParts parts_;
  Throttle throttle_;
};

/// For the documents; the URI is the target's name.
[[nodiscard]] std::vector<Operation> acm_operations();

}  // namespace otasim::rest
