// Objects over HTTPS: GET and HEAD of presigned URLs.
//
//   ObjectHandler objects({store, presigner, clock, log});
//   auto server = HttpServer::start(io, objects, ...);
//   presigner.set_endpoint(fmt::format("otasim.localhost:{}", (*server)->port()));
//   objects.set_fault_handler([](const cloud::ObjectRequest& r) { return cloud::ObjectFaults{}; });
//
// `docs/objects.md` has the details. Bodies are read from the object's file piece by piece; a request that
// brings a body is refused.
//
// Each answer is reported when it is over, sent or failed: source `cloud`, event `object_request` {bucket,
// key, version, status, first_byte, bytes, error?, fault?}. What the server's end cuts off is not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/object_faults.h"
#include "sim/cloud/object_reply.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/presigned_url.h"
#include "sim/cloud/random_id.h"
#include "sim/report/event_log.h"
#include "sim/rest/http_server.h"

namespace otasim::rest {

/// What the handler works with; all must outlive it.
struct ObjectHandlerParts {
  cloud::ObjectStore& objects;
  const cloud::UrlPresigner& presigner;
  const cloud::Clock& clock;
  report::EventLog& log;
  cloud::UuidSource uuid = cloud::random_uuid;  ///< for request ids
};

class ObjectHandler final : public HttpHandler {
 public:
  explicit ObjectHandler(ObjectHandlerParts parts) : parts_(std::move(parts)) {}

  Decision begin(const HttpRequestHead& head) override;
  HttpResponse refuse(const HttpRefusal& refusal) override;

  /// @param handler  asked about requests from now on; empty for no faults
  void set_fault_handler(cloud::ObjectFaultHandler handler) { faults_ = std::move(handler); }

 private:
  /// What the event tells of an answer.
  struct Told {
    cloud::ObjectLocation location = {};
    std::int64_t first_byte = 0;
    std::string error = {};
    std::vector<std::string> faults = {};
  };

  [[nodiscard]] HttpResponse answer(const HttpRequestHead& head);
  [[nodiscard]] HttpResponse object_answer(const HttpRequestHead& head, cloud::ObjectReply reply);
  [[nodiscard]] HttpResponse error_answer(const cloud::S3Error& error, bool head_only, Told told);
  [[nodiscard]] cloud::ObjectFaults ask_for_faults(const HttpRequestHead& head,
                                                   const cloud::ObjectReply& reply);
  void report_when_sent(HttpResponse& answer, Told told);

  ObjectHandlerParts parts_;
  cloud::ObjectFaultHandler faults_ = {};
  std::int64_t fault_requests_ = 0;  ///< that the fault handler was asked about
};

}  // namespace otasim::rest
