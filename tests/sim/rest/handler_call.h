// Asks a handler without a network in between.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "sim/rest/http_server.h"

namespace otasim::rest::test {

inline HttpResponse call_handler(HttpHandler& handler, HttpRequestHead head, const std::string& body = {}) {
  head.has_body = !body.empty();
  auto decision = handler.begin(head);
  if (auto* const answer = std::get_if<HttpResponse>(&decision)) return std::move(*answer);
  const auto exchange = std::move(std::get<std::unique_ptr<HttpExchange>>(decision));
  if (body.size() > exchange->max_body_bytes()) return exchange->too_large();
  if (!body.empty()) {
    if (auto early = exchange->on_body({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()})) {
      return std::move(*early);
    }
  }
  return exchange->on_end();
}

/// A header of an answer; empty if there is none.
inline std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [field, value] : response.headers) {
    if (same_field(field, name)) return value;
  }
  return {};
}

}  // namespace otasim::rest::test
