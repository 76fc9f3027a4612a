#include "sim/rest/object_handler.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/cloud/base64.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"

namespace otasim::rest {

namespace {

using cloud::ObjectFaults;
using cloud::ObjectReply;
using cloud::S3Error;

/// The names S3's answers carry for its support.
struct RequestIds {
  explicit RequestIds(const cloud::UuidSource& uuid) {
    for (const char c : uuid()) {
      if (c != '-' && id.size() < 16) id += static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
    }
    const std::string text = uuid();
    id2 = cloud::base64_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  std::string id;
  std::string id2;
};

HeaderFields common_headers(const RequestIds& ids, const cloud::Clock& clock) {
  return {{"x-amz-id-2", ids.id2},
          {"x-amz-request-id", ids.id},
          {"Date", cloud::http_date(clock.now())},
          {"Server", "AmazonS3"}};
}

void append(HeaderFields& fields, HeaderFields more) {
  std::ranges::move(more, std::back_inserter(fields));
}

TransferFaults transfer_faults(const ObjectFaults& faults, const ObjectReply& reply) {
  TransferFaults transfer;
  transfer.delay = faults.delay;
  transfer.bytes_per_second = faults.bytes_per_second;
  if (const auto cut = cloud::body_cut(faults, reply.body_length())) {
    transfer.cut = TransferFaults::Cut{cut->at, cut->reset};
  }
  if (faults.corrupt_at) transfer.corrupt_at = *faults.corrupt_at - reply.first_byte;
  return transfer;
}

}  // namespace

HttpHandler::Decision ObjectHandler::begin(const HttpRequestHead& head) {
  if (!head.has_body) return answer(head);
  S3Error error = cloud::s3_error_of_status(400);
  error.message = "A request for an object must not have a body.";
  return error_answer(error, false, {});
}

HttpResponse ObjectHandler::refuse(const HttpRefusal& refusal) {
  S3Error error = cloud::s3_error_of_status(400);
  error.message = fmt::format("An error occurred when parsing the HTTP request: {}.", refusal.detail);
  if (refusal.header_too_large) {
    error.code = "RequestHeaderSectionTooLarge";
    error.message = "Your request header and query-string portion exceeds the maximum allowed length.";
  }
  return error_answer(error, false, {});
}

HttpResponse ObjectHandler::answer(const HttpRequestHead& head) {
  auto reply = cloud::answer_object_request(
      {head.method, head.target, head.text("Host"), head.text("Range"), head.text("If-Range")},
      parts_.objects, parts_.presigner);
  if (reply) return object_answer(head, *std::move(reply));
  Told told;
  if (const auto target = cloud::parse_request_target(head.target)) {
    told.location = cloud::object_location(*target);
  }
  return error_answer(reply.error(), head.method == "HEAD", std::move(told));
}

HttpResponse ObjectHandler::object_answer(const HttpRequestHead& head, ObjectReply reply) {
  const ObjectFaults faults = ask_for_faults(head, reply);
  Told told{reply.object.location, 0, {}, cloud::apply_faults(faults, reply)};
  if (faults.status) {
    HttpResponse response =
        error_answer(cloud::s3_error_of_status(*faults.status), reply.head_only, std::move(told));
    response.faults.delay = faults.delay;
    return response;
  }
  auto content = parts_.objects.open_content(reply.object.location);
  if (!content) return error_answer(cloud::s3_error_of_status(500), reply.head_only, std::move(told));
  HttpResponse response;
  response.status = reply.status();
  response.headers = common_headers(RequestIds(parts_.uuid), parts_.clock);
  append(response.headers, reply.headers());
  response.piece = FilePiece{std::move(*content), reply.first_byte, reply.length};
  response.head_only = reply.head_only;
  response.faults = transfer_faults(faults, reply);
  told.first_byte = reply.first_byte;
  report_when_sent(response, std::move(told));
  return response;
}

ObjectFaults ObjectHandler::ask_for_faults(const HttpRequestHead& head, const ObjectReply& reply) {
  if (!faults_) return {};
  return faults_(
      {++fault_requests_, head.peer, head.method, reply.object, reply.asked, reply.presigned_expires_at});
}

HttpResponse ObjectHandler::error_answer(const S3Error& error, bool head_only, Told told) {
  const RequestIds ids(parts_.uuid);
  HttpResponse response;
  response.status = error.status;
  response.headers = common_headers(ids, parts_.clock);
  append(response.headers, error.headers);
  response.headers.emplace_back("Content-Type", "application/xml");
  response.body = cloud::s3_error_document(error, ids.id, ids.id2);
  response.head_only = head_only;
  told.error = error.code;
  report_when_sent(response, std::move(told));
  return response;
}

void ObjectHandler::report_when_sent(HttpResponse& answer, Told told) {
  answer.on_sent = [&log = parts_.log, told = std::move(told), status = answer.status,
                    object = answer.piece.has_value()](std::int64_t bytes, const std::string& failure) {
    nlohmann::json event{{"bucket", told.location.bucket},   {"key", told.location.key},
                         {"version", told.location.version}, {"status", status},
                         {"first_byte", told.first_byte},    {"bytes", object ? bytes : 0}};
    const std::string& error = failure.empty() ? told.error : failure;
    if (!error.empty()) event["error"] = error;
    if (!told.faults.empty()) event["fault"] = told.faults;
    log.emit("cloud", "object_request", std::move(event));
  };
}

}  // namespace otasim::rest
