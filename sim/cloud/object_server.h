// The part of S3 that devices see: HTTPS on the loopback interface, GET and HEAD of presigned objects.
//
//   auto server = ObjectServer::start(io, objects, presigner, clock, log,
//                                     {.certificate_path = ..., .key_path = ...});
//   presigner.set_endpoint(fmt::format("otasim.localhost:{}", (*server)->port()));
//   (*server)->set_fault_handler([](const ObjectRequest& r) { return ObjectFaults{}; });   // at any time
//   server->reset();   // closes every connection at once
//
// Everything runs on the io_context's thread. TLS 1.2 and 1.3; HTTP/1.1 with keep-alive, pipelined requests
// answered in order; bodies are read from the object's file piece by piece. `docs/objects.md` has the
// details.
//
// A connection that is quiet for too long, sends a header of more than 8 KB, something that is not HTTP or
// TLS, or a body, is closed; one more than allowed is closed as soon as it is there. statistics() counts
// them.
//
// Each answer is reported when it is over, sent or failed: source `cloud`, event `object_request` {bucket,
// key, version, status, first_byte, bytes, error?, fault?}. What the server's end cuts off is not.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sim/base/result.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/object_faults.h"
#include "sim/cloud/object_store.h"
#include "sim/cloud/presigned_url.h"
#include "sim/cloud/random_id.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

struct ObjectServerOptions {
  std::uint16_t port = 0;             ///< 0: the system chooses
  std::string certificate_path = {};  ///< PEM, the server's certificate and its chain
  std::string key_path = {};          ///< PEM
  std::size_t max_connections = 256;
  std::chrono::milliseconds idle_timeout{
      30'000};                    ///< for a handshake, a request's header, a piece to be taken
  UuidSource uuid = random_uuid;  ///< for request ids
};

struct ObjectServerStatistics {
  std::int64_t connections = 0;        ///< accepted
  std::int64_t connections_open = 0;   ///< now
  std::int64_t refused = 0;            ///< closed because there were too many
  std::int64_t failed_handshakes = 0;  ///< no TLS, or none that we speak
  std::int64_t timed_out = 0;          ///< closed because they were quiet for too long
  std::int64_t malformed = 0;          ///< requests that are not HTTP, too long, or have a body
  std::int64_t requests = 0;           ///< answered, also with an error
};

class ObjectServer {
 public:
  /// Listens on 127.0.0.1. All references must outlive the server.
  /// @returns kEnvironment  the port is in use or may not be used; a certificate or key file is missing,
  /// damaged
  ///                        or does not fit
  [[nodiscard]] static Result<std::unique_ptr<ObjectServer>> start(boost::asio::io_context& io,
                                                                   ObjectStore& objects,
                                                                   const UrlPresigner& presigner,
                                                                   const Clock& clock, report::EventLog& log,
                                                                   ObjectServerOptions options);
  /// Closes all connections; nothing of the server runs afterwards. Not from within the fault handler or a
  /// listener of the event log.
  ~ObjectServer();
  ObjectServer(const ObjectServer&) = delete;
  ObjectServer& operator=(const ObjectServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// @param handler  asked about requests from now on; empty for no faults
  void set_fault_handler(ObjectFaultHandler handler);
  /// For what connections wait for next, not for what they are waiting for already.
  void set_idle_timeout(std::chrono::milliseconds idle_timeout);
  [[nodiscard]] ObjectServerStatistics statistics() const;

 private:
  struct State;
  explicit ObjectServer(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::cloud
