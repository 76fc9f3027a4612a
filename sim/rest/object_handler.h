// S3 over HTTPS: buckets and objects, for devices with presigned URLs and for S3's clients.
//
//   ObjectHandler objects({store, uploads, presigner, clock, log});
//   auto server = HttpServer::start(io, objects, ...);
//   presigner.set_endpoint(fmt::format("otasim.localhost:{}", (*server)->port()));
//   objects.set_fault_handler([](const cloud::ObjectRequest& r) { return cloud::ObjectFaults{}; });
//
// A request is taken apart (s3_request.h), found among the operations (s3_operations.h), authenticated by its
// signature (s3_authentication.h) with the presigner's key, and carried out (s3_bucket_operations.h,
// s3_object_operations.h, s3_listings.h). A body is checked as it comes (s3_payload.h); an object's never is
// in memory as a whole, neither coming nor going. `docs/objects.md` has the details.
//
// Faults strike reads of objects with presigned URLs, which are devices'.
//
// Each answer is reported when it is over, sent or failed: source `cloud`, event `api_request` {service,
// operation, status, error?}, and for reads of objects `object_request` {bucket, key, version, status,
// first_byte, bytes, error?, fault?}; devices read in many small pieces, so that reads without a signature in
// the header have the latter alone. What the server's end cuts off is not reported.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/multipart_uploads.h"
#include "sim/cloud/object_faults.h"
#include "sim/cloud/object_reply.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/presigned_url.h"
#include "sim/cloud/random_id.h"
#include "sim/report/event_log.h"
#include "sim/rest/http_server.h"
#include "sim/rest/request_signature.h"
#include "sim/rest/s3_authentication.h"
#include "sim/rest/s3_operations.h"
#include "sim/rest/s3_request.h"

namespace otasim::rest {

/// What the handler works with; all must outlive it.
struct ObjectHandlerParts {
  cloud::ObjectStore& objects;
  cloud::MultipartUploads& uploads;
  const cloud::UrlPresigner& presigner;
  const cloud::Clock& clock;
  report::EventLog& log;
  cloud::UuidSource uuid = cloud::random_uuid;  ///< for request ids
};

class ObjectHandler final : public HttpHandler {
 public:
  explicit ObjectHandler(ObjectHandlerParts parts);

  Decision begin(const HttpRequestHead& head) override;
  HttpResponse refuse(const HttpRefusal& refusal) override;

  /// @param handler  asked about requests from now on; empty for no faults
  void set_fault_handler(cloud::ObjectFaultHandler handler) { faults_ = std::move(handler); }

 private:
  friend class S3Exchange;

  /// What the events tell of an answer.
  struct Told {
    std::string operation = {};
    bool is_read = true;    ///< of an object, or nothing that is known
    bool is_device = true;  ///< no signature in the header
    bool head_only = false;
    cloud::ObjectLocation location = {};
    std::int64_t first_byte = 0;
    std::string error = {};
    std::vector<std::string> faults = {};
  };

  [[nodiscard]] Decision carry_out(const HttpRequestHead& head, const S3Request& request,
                                   const S3Operation& operation, const S3Caller& caller, Told told);
  [[nodiscard]] S3Result<S3Answer> operate(S3OperationId id, const S3Request& request);
  [[nodiscard]] S3Result<S3Receiver> receive(S3OperationId id, S3Request request);
  [[nodiscard]] HttpResponse read(const HttpRequestHead& head, const S3Request& request,
                                  const S3Caller& caller, Told told);
  [[nodiscard]] HttpResponse object_answer(const HttpRequestHead& head, cloud::ObjectReply reply, Told told);
  [[nodiscard]] HttpResponse answer(const S3Result<S3Answer>& answer, Told told);
  [[nodiscard]] HttpResponse error_answer(const S3Error& error, Told told);
  [[nodiscard]] cloud::ObjectFaults ask_for_faults(const HttpRequestHead& head,
                                                   const cloud::ObjectReply& reply);
  void report_when_sent(HttpResponse& answer, Told told);

  ObjectHandlerParts parts_;
  S3Services services_;
  RequestVerifier verifier_;
  cloud::ObjectFaultHandler faults_ = {};
  std::int64_t fault_requests_ = 0;  ///< that the fault handler was asked about
};

}  // namespace otasim::rest
