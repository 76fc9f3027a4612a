#include "sim/rest/json_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sim/base/json_nesting.h"
#include "sim/cloud/json_body.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"
#include "sim/crypto/key.h"

namespace otasim::rest {

namespace {

std::string hash_of(const std::string& body) {
  return crypto::hex(crypto::sha256({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()}));
}

/// The path's and the query's members, as texts. The path's come last: a query does not replace them.
ApiResult<Json> uri_members(const HttpRequestHead& head, const UriValues& values) {
  const auto target = cloud::parse_request_target(head.target);
  if (!target) return tl::unexpected(invalid_request("The request's target is no path."));
  Json members = Json::object();
  for (const auto& [name, value] : target->query) {
    if (members.contains(name)) {
      return tl::unexpected(
          invalid_request(fmt::format("The parameter '{}' is given more than once.", name)));
    }
    members[name] = value;
  }
  for (const auto& [name, value] : values) members[name] = value;
  return members;
}

ApiResult<Json> body_members(const std::string& body) {
  if (body.empty()) return Json::object();
  if (nesting_depth(body) > kMaxNesting) {
    return tl::unexpected(invalid_request("The body is nested too deeply."));
  }
  Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return tl::unexpected(ApiError{400, "SerializationException", "The body is not a JSON object.", {}, {}});
  }
  return json;
}

}  // namespace

std::string SignatureAuthenticator::service_of(const HttpRequestHead& head) const {
  auto claimed = claimed_service(head);
  const bool is_known = claimed && std::ranges::find(services_, *claimed) != services_.end();
  return is_known ? *std::move(claimed) : services_.front();
}

std::optional<ApiError> SignatureAuthenticator::refuse_unread(const AskedOperation& asked) {
  const auto verified = verifier_.verify_head(asked.head, service_of(asked.head));
  if (!verified) return api_error(verified.error());
  return std::nullopt;
}

std::optional<ApiError> SignatureAuthenticator::refuse(const AskedOperation& asked,
                                                       const std::string& body_hash) {
  const auto verified = verifier_.verify_request(asked.head, service_of(asked.head), body_hash);
  if (!verified) return api_error(verified.error());
  return std::nullopt;
}

class JsonApi::Exchange final : public HttpExchange {
 public:
  Exchange(JsonApi& api, HttpRequestHead head, Match match)
      : api_(api), head_(std::move(head)), match_(std::move(match)) {}

  [[nodiscard]] std::uint64_t max_body_bytes() const override { return kMaxJsonBody; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> max_body_time() const override {
    return kMaxJsonBodyTime;
  }
  std::optional<HttpResponse> on_body(std::span<const std::uint8_t> piece) override {
    body_.append(piece.begin(), piece.end());
    return std::nullopt;
  }
  HttpResponse on_end() override { return api_.answer(head_, match_, body_); }
  HttpResponse too_large() override {
    const ApiError error{413,
                         "RequestEntityTooLargeException",
                         fmt::format("A body may have {} bytes.", kMaxJsonBody),
                         {},
                         {}};
    return api_.finish(render(error), &match_.route->operation, error.name);
  }

 private:
  JsonApi& api_;
  HttpRequestHead head_;
  Match match_;
  std::string body_;
};

ApiResult<JsonApi::Match> JsonApi::find(const HttpRequestHead& head) const {
  const ApiError unknown{404, "UnknownOperationException", "The requested operation is not known.", {}, {}};
  const std::string_view path = std::string_view(head.target).substr(0, head.target.find('?'));
  if (normalized_path(path) != path) return tl::unexpected(unknown);
  bool other_verb = false;
  for (const Route& route : routes_) {
    const bool same_verb = route.operation.verb == head.method;
    if (!same_verb && other_verb) continue;
    auto values = match_uri(route.operation.uri, head.target);
    if (!values) continue;
    if (same_verb) return Match{&route, *std::move(values)};
    other_verb = true;
  }
  if (other_verb) {
    return tl::unexpected(ApiError{405,
                                   "MethodNotAllowedException",
                                   fmt::format("The resource has no method {}.", head.method),
                                   {},
                                   {}});
  }
  return tl::unexpected(unknown);
}

bool JsonApi::recognizes(const HttpRequestHead& head) const {
  const auto found = find(head);
  return found || found.error().status == 405;
}

HttpHandler::Decision JsonApi::begin(const HttpRequestHead& head) {
  auto match = find(head);
  if (!match) return finish(render(match.error()), nullptr, match.error().name);
  const Operation& operation = match->route->operation;
  if (head.has_body) {  // else answer() follows at once
    if (const auto refused = authenticator_->refuse_unread({head, operation, match->values})) {
      return finish(render(*refused), &operation, refused->name);
    }
  }
  return std::make_unique<Exchange>(*this, head, *std::move(match));
}

HttpResponse JsonApi::refuse(const HttpRefusal& refusal) {
  const ApiError error{
      400, "BadRequestException", fmt::format("This is no HTTP request: {}.", refusal.detail), {}, {}};
  return finish(render(error), nullptr, error.name);
}

HttpResponse JsonApi::answer(const HttpRequestHead& head, const Match& match, const std::string& body) {
  const auto result = call(head, match, body);
  if (!result) return finish(render(result.error()), &match.route->operation, result.error().name);
  HttpResponse response;
  if (!result->is_null()) {
    response.headers = {{"Content-Type", "application/json"}};
    response.body = cloud::to_text(*result);
  }
  return finish(std::move(response), &match.route->operation, {});
}

ApiResult<Json> JsonApi::call(const HttpRequestHead& head, const Match& match, const std::string& body) {
  const Operation& operation = match.route->operation;
  if (auto refused = authenticator_->refuse({head, operation, match.values}, hash_of(body))) {
    return tl::unexpected(*std::move(refused));
  }
  if (parts_.throttle &&
      !throttle_.admit(operation.name, operation.requests_per_second, std::chrono::steady_clock::now())) {
    return tl::unexpected(
        api_error(cloud::ServiceError(cloud::ErrorCode::kRequestThrottled, "Rate exceeded"), style_));
  }
  const auto uri = uri_members(head, match.values);
  if (!uri) return uri;
  const auto members = body_members(body);
  if (!members) return members;
  std::optional<ApiError> error;
  ApiCall made{head, MemberReader(*uri, "", error, true), MemberReader(*members, "", error), style_, error};
  return match.route->run(made);
}

/// Adds what all answers have, and tells of it.
HttpResponse JsonApi::finish(HttpResponse response, const Operation* operation, const std::string& error) {
  response.headers.emplace_back("x-amzn-RequestId", parts_.uuid());
  response.headers.emplace_back("Date", cloud::http_date(parts_.clock.now()));
  nlohmann::json event{
      {"service", operation != nullptr ? operation->service : routes_.front().operation.service},
      {"operation", operation != nullptr ? operation->name : "unknown"},
      {"status", response.status},
      {"bytes", response.body.size()}};
  if (!error.empty()) event["error"] = error;
  parts_.log.emit("cloud", "api_request", std::move(event));
  return response;
}

}  // namespace otasim::rest
