#include "sim/rest/http_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/text.h"

namespace otasim::rest {

namespace {

struct Reason {
  int status;
  const char* phrase;
};

constexpr std::array kReasons{
    Reason{100, "Continue"},
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{206, "Partial Content"},
    Reason{303, "See Other"},
    Reason{304, "Not Modified"},
    Reason{400, "Bad Request"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{411, "Length Required"},
    Reason{412, "Precondition Failed"},
    Reason{413, "Request Entity Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{416, "Requested Range Not Satisfiable"},
    Reason{417, "Expectation Failed"},
    Reason{429, "Too Many Requests"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
};

}  // namespace

bool same_field(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return to_lower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::size_t HttpRequestHead::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [name](const auto& field) { return same_field(field.first, name); }));
}

std::optional<std::string_view> HttpRequestHead::single(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [field, value] : headers) {
    if (!same_field(field, name)) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

std::string HttpRequestHead::text(std::string_view name) const {
  return std::string(single(name).value_or(std::string_view()));
}

std::int64_t HttpResponse::content_length() const {
  return piece ? piece->length : static_cast<std::int64_t>(body.size());
}

std::string_view reason_phrase(int status) {
  const auto* const found = std::ranges::find(kReasons, status, &Reason::status);
  return found == kReasons.end() ? "" : found->phrase;
}

std::string render_head(int status, const HeaderFields& fields) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  for (const auto& [name, value] : fields) {
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  }
  return head += "\r\n";
}

}  // namespace otasim::rest
