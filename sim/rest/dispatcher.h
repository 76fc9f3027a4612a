// One HTTPS port for all services: a request goes to the front end of the service that it is signed for.
//
//   Dispatcher all(clock, s3);                    // who gets what is not signed and looks like nothing else
//   all.add("iot", iot, [&](const auto& head) { return iot.recognizes(head); });
//   all.add("s3", s3);
//
// The service's name stands in the signature's credential scope, in the header or the query. A request that
// names none goes to whoever recognizes its path, so that it is refused in the words of that service. Front
// ends verify what they get; the dispatcher believes nothing and decides nothing else.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/rest/http_server.h"

namespace otasim::rest {

class Dispatcher final : public HttpHandler {
 public:
  using Recognizes = std::function<bool(const HttpRequestHead& head)>;

  /// @param unsigned_front_end  of what is not signed, like a browser's or a broken presigned URL
  Dispatcher(const cloud::Clock& clock, HttpHandler& unsigned_front_end)
      : clock_(clock), unsigned_(unsigned_front_end) {}

  /// @param front_end  must outlive the dispatcher
  void add(std::string service, HttpHandler& front_end, Recognizes recognizes = {}) {
    front_ends_.push_back({std::move(service), &front_end, std::move(recognizes)});
  }

  Decision begin(const HttpRequestHead& head) override;
  HttpResponse refuse(const HttpRefusal& refusal) override;

 private:
  struct FrontEnd {
    std::string service;
    HttpHandler* handler;
    Recognizes recognizes;
  };

  const cloud::Clock& clock_;
  HttpHandler& unsigned_;
  std::vector<FrontEnd> front_ends_;
};

}  // namespace otasim::rest
