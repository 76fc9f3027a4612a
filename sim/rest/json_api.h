// The common part of AWS's JSON services: finds the operation, reads the body, checks who asks, calls.
//
//   JsonApi iot(ApiStyle::kIot, routes, SignatureAuthenticator(verifier, {"iot"}), {log, clock});
//   dispatcher.add("iot", iot);
//
// Each call is one event when it is answered: source `cloud`, event `api_request` {service, operation,
// status, error?}. A path that no operation has is answered 404 UnknownOperationException, one that has other
// verbs 405; both before anything else. So is a path with `.`, `..` or empty segments: those are signed as
// another path than they are. Then, before the body: who asks, as far as that can be told without it. With
// the body: the signature, the rate, JSON, the members.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/random_id.h"
#include "sim/report/event_log.h"
#include "sim/rest/api_call.h"
#include "sim/rest/http_server.h"
#include "sim/rest/operation.h"
#include "sim/rest/request_signature.h"
#include "sim/rest/throttle.h"

namespace otasim::rest {

/// A body of more is refused with 413.
inline constexpr std::size_t kMaxJsonBody = std::size_t{256} << 10;
/// A body that takes longer, however it trickles, ends the connection.
inline constexpr std::chrono::milliseconds kMaxJsonBodyTime{60'000};

struct Route {
  Operation operation;
  std::function<ApiResult<Json>(ApiCall& call)> run;
};

/// A request as it is known before its body.
struct AskedOperation {
  const HttpRequestHead& head;
  const Operation& operation;
  const UriValues& values;  ///< of the operation's URI
};

/// Whether a request may be made.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// Before the body: whoever may not ask is not to send one either. @returns why not
  [[nodiscard]] virtual std::optional<ApiError> refuse_unread(const AskedOperation& asked) = 0;
  /// The whole. @param body_hash  SHA-256, lower-case hex
  /// @returns why not
  [[nodiscard]] virtual std::optional<ApiError> refuse(const AskedOperation& asked,
                                                       const std::string& body_hash) = 0;
};

/// By the signature, for one service under one or several signing names.
class SignatureAuthenticator final : public Authenticator {
 public:
  /// @param verifier  must outlive this
  SignatureAuthenticator(const RequestVerifier& verifier, std::vector<std::string> services)
      : verifier_(verifier), services_(std::move(services)) {}
  [[nodiscard]] std::optional<ApiError> refuse_unread(const AskedOperation& asked) override;
  [[nodiscard]] std::optional<ApiError> refuse(const AskedOperation& asked,
                                               const std::string& body_hash) override;

 private:
  /// The name that a request is to be signed for.
  [[nodiscard]] std::string service_of(const HttpRequestHead& head) const;

  const RequestVerifier& verifier_;
  std::vector<std::string> services_;  ///< the first is the one that errors tell of
};

/// What all JSON services share; all references must outlive them.
struct JsonApiParts {
  report::EventLog& log;
  const cloud::Clock& clock;
  cloud::UuidSource uuid = cloud::random_uuid;
  bool throttle = false;  ///< at AWS's default rates
};

class JsonApi final : public HttpHandler {
 public:
  /// @param routes  those without braces in a segment before those with, where both match
  JsonApi(ApiStyle style, std::vector<Route> routes, std::unique_ptr<Authenticator> authenticator,
          JsonApiParts parts)
      : style_(style),
        routes_(std::move(routes)),
        authenticator_(std::move(authenticator)),
        parts_(std::move(parts)) {}

  Decision begin(const HttpRequestHead& head) override;
  HttpResponse refuse(const HttpRefusal& refusal) override;
  /// Whether an operation has this path, with whatever verb.
  [[nodiscard]] bool recognizes(const HttpRequestHead& head) const;

 private:
  class Exchange;
  struct Match {
    const Route* route;
    UriValues values;
  };

  [[nodiscard]] ApiResult<Match> find(const HttpRequestHead& head) const;
  [[nodiscard]] HttpResponse answer(const HttpRequestHead& head, const Match& match, const std::string& body);
  [[nodiscard]] ApiResult<Json> call(const HttpRequestHead& head, const Match& match,
                                     const std::string& body);
  [[nodiscard]] HttpResponse finish(HttpResponse response, const Operation* operation,
                                    const std::string& error);

  ApiStyle style_;
  std::vector<Route> routes_;
  std::unique_ptr<Authenticator> authenticator_;
  JsonApiParts parts_;
  Throttle throttle_;
};

}  // namespace otasim::rest
