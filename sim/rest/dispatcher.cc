#include "sim/rest/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/random_id.h"
#include "sim/cloud/utc_time.h"
#include "sim/rest/api_error.h"
#include "sim/rest/request_signature.h"

namespace otasim::rest {

namespace {

HttpResponse answer(const ApiError& error, const cloud::Clock& clock) {
  HttpResponse response = render(error);
  response.headers.emplace_back("x-amzn-RequestId", cloud::random_uuid());
  response.headers.emplace_back("Date", cloud::http_date(clock.now()));
  return response;
}

}  // namespace

HttpHandler::Decision Dispatcher::begin(const HttpRequestHead& head) {
  if (const auto service = claimed_service(head)) {
    const auto found = std::ranges::find(front_ends_, *service, &FrontEnd::service);
    if (found != front_ends_.end()) return found->handler->begin(head);
    return answer({403,
                   "InvalidSignatureException",
                   fmt::format("Credential should be scoped to a service that is here, not '{}'.", *service),
                   {},
                   {}},
                  clock_);
  }
  for (const FrontEnd& front_end : front_ends_) {
    if (front_end.recognizes && front_end.recognizes(head)) return front_end.handler->begin(head);
  }
  return unsigned_.begin(head);
}

HttpResponse Dispatcher::refuse(const HttpRefusal& refusal) {
  return answer(
      {400, "BadRequestException", fmt::format("This is no HTTP request: {}.", refusal.detail), {}, {}},
      clock_);
}

}  // namespace otasim::rest
