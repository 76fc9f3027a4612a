#include "sim/cloud/s3_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace otasim::cloud {

namespace {

struct StatusText {
  int status;
  const char* code;
  const char* message;
};

constexpr std::array kStatuses{
    StatusText{400, "BadRequest", "Bad Request"},
    StatusText{403, "AccessDenied", "Access Denied"},
    StatusText{404, "NoSuchKey", "The specified key does not exist."},
    StatusText{405, "MethodNotAllowed", "The specified method is not allowed against this resource."},
    StatusText{
        409, "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try "
        "again."},
    StatusText{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"},
    StatusText{416, "InvalidRange", "The requested range is not satisfiable"},
    StatusText{429, "TooManyRequests", "Please reduce your request rate."},
    StatusText{500, "InternalError", "We encountered an internal error. Please try again."},
    StatusText{501, "NotImplemented", "A header you provided implies functionality that is not implemented"},
    StatusText{502, "BadGateway", "The service received an invalid response."},
    StatusText{503, "SlowDown", "Please reduce your request rate."},
    StatusText{504, "GatewayTimeout", "The service did not answer in time."},
};

const StatusText* find(int status) {
  const auto* const found = std::ranges::find(kStatuses, status, &StatusText::status);
  return found == kStatuses.end() ? nullptr : found;
}

/// The length of the UTF-8 sequence that `text` begins with, 0 if it begins with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 && lead <= 0xF4   ? 4
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  std::uint32_t code_point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  const bool not_xml = code_point == 0xFFFE || code_point == 0xFFFF;
  if (code_point < kSmallest[length] || code_point > 0x10FFFF || surrogate || not_xml) return 0;
  return length;
}

}  // namespace

S3Error::S3Error(const Error& error) : S3Error(s3_error_of_status(500)) {
  cause = error.message;
}

ServiceError S3Error::to_service_error() const {
  constexpr int kNotFound = 404;
  constexpr int kFirstServerError = 500;
  if (status >= kFirstServerError) return {ErrorCode::kInternalError, cause.empty() ? message : cause};
  return {status == kNotFound ? ErrorCode::kResourceNotFound : ErrorCode::kInvalidRequest, message};
}

S3Error s3_error_of_status(int status) {
  if (const StatusText* const text = find(status); text != nullptr) {
    return {status, text->code, text->message};
  }
  return {status, "InternalError", "We encountered an internal error. Please try again."};
}

std::string xml_escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text[0];
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '\t') {
      escaped += "&#x9;";
    } else if (c == '\r') {
      escaped += "&#xD;";  // as it is, a parser makes a line feed of it
    } else if (length == 0 || (length == 1 && static_cast<unsigned char>(c) < 0x20 && c != '\n')) {
      escaped += '?';
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return escaped;
}

std::string s3_error_document(const S3Error& error, std::string_view request_id, std::string_view host_id) {
  std::string details;
  for (const auto& [name, text] : error.details) {
    details += fmt::format("<{0}>{1}</{0}>", name, xml_escape(text));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<Error><Code>{}</Code><Message>{}</Message>{}<RequestId>{}</RequestId><HostId>{}</HostId></Error>",
      xml_escape(error.code), xml_escape(error.message), details, xml_escape(request_id),
      xml_escape(host_id));
}

}  // namespace otasim::cloud
