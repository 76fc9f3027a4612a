#include "sim/rest/object_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sim/base/json.h"
#include "sim/cloud/base64.h"
#include "sim/cloud/s3_error.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"
#include "sim/rest/s3_bucket_operations.h"
#include "sim/rest/s3_documents.h"
#include "sim/rest/s3_listings.h"
#include "sim/rest/s3_object_operations.h"
#include "sim/rest/s3_payload.h"

namespace otasim::rest {

namespace {

using cloud::ObjectFaults;
using cloud::ObjectReply;

/// A list of 10,000 parts, or of 1,000 keys with all their bytes escaped.
constexpr std::uint64_t kMaxDocumentBytes = std::uint64_t{8} << 20;

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

/// What is asked of an object, from headers and parameters.
S3Result<cloud::ReadRequest> read_request_of(const S3Request& request) {
  cloud::ReadRequest wanted;
  wanted.head_only = request.method == "HEAD";
  wanted.range = request.header("range");
  wanted.if_range = request.header("if-range");
  wanted.conditions = {request.header("if-match"), request.header("if-none-match"),
                       request.header("if-modified-since"), request.header("if-unmodified-since")};
  wanted.with_checksum = request.header("x-amz-checksum-mode") == "ENABLED";
  for (const char* const name : {"content-type", "content-language", "expires", "cache-control",
                                 "content-disposition", "content-encoding"}) {
    auto value = request.parameter(fmt::format("response-{}", name));
    if (!value) continue;
    const bool printable =
        std::ranges::none_of(*value, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (!printable) {
      return tl::unexpected(S3Error{400,
                                    "InvalidArgument",
                                    "A header must not have control characters.",
                                    {{"ArgumentName", fmt::format("response-{}", name)}}});
    }
    wanted.overrides.emplace_back(name, *std::move(value));
  }
  return wanted;
}

}  // namespace

/// A request whose body comes in.
class S3Exchange final : public HttpExchange {
 public:
  S3Exchange(ObjectHandler& handler, ObjectHandler::Told told, S3Payload payload, S3Receiver receiver)
      : handler_(handler),
        told_(std::move(told)),
        payload_(std::move(payload)),
        receiver_(std::move(receiver)) {}

  [[nodiscard]] std::uint64_t max_body_bytes() const override { return receiver_.max_bytes; }

  std::optional<HttpResponse> on_body(std::span<const std::uint8_t> piece) override {
    if (auto taken = payload_.take(piece, receiver_.take); !taken) {
      return handler_.error_answer(taken.error(), told_);
    }
    return std::nullopt;
  }

  HttpResponse on_end() override { return handler_.answer(finish(), told_); }

  HttpResponse too_large() override {
    return handler_.error_answer({400, "MaxMessageLengthExceeded", "Your request was too big."}, told_);
  }

 private:
  S3Result<S3Answer> finish() {
    const auto md5 = receiver_.seal();
    if (!md5) return tl::unexpected(md5.error());
    auto checksum = payload_.finish(*md5);
    if (!checksum) return tl::unexpected(checksum.error());
    return receiver_.finish(*std::move(checksum));
  }

  ObjectHandler& handler_;
  ObjectHandler::Told told_;
  S3Payload payload_;
  S3Receiver receiver_;
};

ObjectHandler::ObjectHandler(ObjectHandlerParts parts)
    : parts_(std::move(parts)),
      services_{parts_.objects, parts_.uploads, parts_.clock},
      verifier_({.access_key_id = parts_.presigner.config().access_key_id,
                 .secret_access_key = parts_.presigner.config().secret_access_key,
                 .region = parts_.presigner.config().region},
                parts_.clock) {}

HttpHandler::Decision ObjectHandler::begin(const HttpRequestHead& head) {
  Told told;
  told.head_only = head.method == "HEAD";
  told.is_device = head.count("Authorization") == 0;
  auto request = read_s3_request(head);
  if (!request) return error_answer(request.error(), std::move(told));
  told.location = request->location;
  const auto operation = find_s3_operation(*request);
  if (operation) {
    told.operation = (*operation)->name;
    told.is_read =
        (*operation)->id == S3OperationId::kGetObject || (*operation)->id == S3OperationId::kHeadObject;
  } else if (operation.error().status == 405) {
    return error_answer(operation.error(), std::move(told));
  }
  const auto caller = authenticate_s3(head, request->target, verifier_, parts_.presigner);
  if (!caller) return error_answer(caller.error(), std::move(told));
  if (!operation) return error_answer(operation.error(), std::move(told));
  return carry_out(head, *request, **operation, *caller, std::move(told));
}

HttpHandler::Decision ObjectHandler::carry_out(const HttpRequestHead& head, const S3Request& request,
                                               const S3Operation& operation, const S3Caller& caller,
                                               Told told) {
  auto receiver = receive(operation.id, request);
  if (!receiver) return error_answer(receiver.error(), std::move(told));
  if (!receiver->take) {
    if (head.has_body) {
      S3Error error = cloud::s3_error_of_status(400);
      error.message = fmt::format("A request for {} must not have a body.", operation.name);
      return error_answer(error, std::move(told));
    }
    if (told.is_read) return read(head, request, caller, std::move(told));
    return answer(operate(operation.id, request), std::move(told));
  }
  auto payload = S3Payload::begin(head, request, caller, verifier_);
  if (!payload) return error_answer(payload.error(), std::move(told));
  if (operation.id == S3OperationId::kDeleteObjects && !payload->has_digest()) {
    return error_answer({400, "InvalidRequest", "Missing required header for this request: Content-MD5"},
                        std::move(told));
  }
  auto exchange =
      std::make_unique<S3Exchange>(*this, std::move(told), *std::move(payload), *std::move(receiver));
  if (!head.has_body) return exchange->on_end();
  return exchange;
}

/// Who takes the body; nobody, for an operation that has none.
S3Result<S3Receiver> ObjectHandler::receive(S3OperationId id, S3Request request) {
  const auto document = [&](auto operation) {
    return receive_document(kMaxDocumentBytes,
                            [this, operation, request = std::move(request)](const std::string& body) {
                              return operation(request, services_, body);
                            });
  };
  switch (id) {
    case S3OperationId::kPutObject:
      return put_object(request, services_);
    case S3OperationId::kUploadPart:
      return upload_part(request, services_);
    case S3OperationId::kCreateBucket:
      return document(create_bucket);
    case S3OperationId::kPutBucketVersioning:
      return document(put_bucket_versioning);
    case S3OperationId::kDeleteObjects:
      return document(delete_objects);
    case S3OperationId::kCompleteMultipartUpload:
      return document(complete_multipart_upload);
    default:
      return S3Receiver{};
  }
}

S3Result<S3Answer> ObjectHandler::operate(S3OperationId id, const S3Request& request) {
  switch (id) {
    case S3OperationId::kListBuckets:
      return list_buckets(request, services_);
    case S3OperationId::kHeadBucket:
      return head_bucket(request, services_);
    case S3OperationId::kDeleteBucket:
      return delete_bucket(request, services_);
    case S3OperationId::kGetBucketLocation:
      return get_bucket_location(request, services_);
    case S3OperationId::kGetBucketVersioning:
      return get_bucket_versioning(request, services_);
    case S3OperationId::kListObjectVersions:
      return list_object_versions(request, services_);
    case S3OperationId::kListObjects:
      return list_objects(request, services_);
    case S3OperationId::kListObjectsV2:
      return list_objects_v2(request, services_);
    case S3OperationId::kListMultipartUploads:
      return list_multipart_uploads(request, services_);
    case S3OperationId::kCreateMultipartUpload:
      return create_multipart_upload(request, services_);
    case S3OperationId::kUploadPartCopy:
      return upload_part_copy(request, services_);
    case S3OperationId::kListParts:
      return list_parts(request, services_);
    case S3OperationId::kAbortMultipartUpload:
      return abort_multipart_upload(request, services_);
    case S3OperationId::kGetObjectTagging:
      return get_object_tagging(request, services_);
    case S3OperationId::kCopyObject:
      return copy_object(request, services_);
    case S3OperationId::kDeleteObject:
      return delete_object(request, services_);
    case S3OperationId::kPutObject:
    case S3OperationId::kUploadPart:
    case S3OperationId::kCreateBucket:
    case S3OperationId::kPutBucketVersioning:
    case S3OperationId::kDeleteObjects:
    case S3OperationId::kCompleteMultipartUpload:  // receive()'s
    case S3OperationId::kGetObject:
    case S3OperationId::kHeadObject:  // read()'s
      break;
  }
  return tl::unexpected(cloud::s3_error_of_status(501));
}

HttpResponse ObjectHandler::refuse(const HttpRefusal& refusal) {
  S3Error error = cloud::s3_error_of_status(400);
  error.message = fmt::format("An error occurred when parsing the HTTP request: {}.", refusal.detail);
  if (refusal.header_too_large) {
    error.code = "RequestHeaderSectionTooLarge";
    error.message = "Your request header and query-string portion exceeds the maximum allowed length.";
  }
  return error_answer(error, {});
}

HttpResponse ObjectHandler::read(const HttpRequestHead& head, const S3Request& request,
                                 const S3Caller& caller, Told told) {
  if (request.has("partNumber")) {
    return error_answer(not_implemented("partNumber"), std::move(told));
  }
  auto wanted = read_request_of(request);
  if (!wanted) return error_answer(wanted.error(), std::move(told));
  const auto& [bucket, key, version] = request.location;
  auto object = parts_.objects.find(bucket, key, version);
  if (!object) return error_answer(object.error(), std::move(told));
  auto reply = cloud::read_object(*wanted, *std::move(object));
  if (!reply) return error_answer(reply.error(), std::move(told));
  reply->presigned_expires_at = caller.presigned_expires_at;
  return object_answer(head, *std::move(reply), std::move(told));
}

HttpResponse ObjectHandler::object_answer(const HttpRequestHead& head, ObjectReply reply, Told told) {
  const ObjectFaults faults = ask_for_faults(head, reply);
  told.location = reply.object.location;
  told.faults = cloud::apply_faults(faults, reply);
  if (faults.status) {
    HttpResponse response = error_answer(cloud::s3_error_of_status(*faults.status), std::move(told));
    response.faults.delay = faults.delay;
    return response;
  }
  auto content = parts_.objects.open_content(reply.object.location);
  if (!content) return error_answer(cloud::s3_error_of_status(500), std::move(told));
  HttpResponse response;
  response.status = reply.status();
  response.headers = common_headers(RequestIds(parts_.uuid), parts_.clock);
  append(response.headers, reply.headers());
  if (!tells_version(reply.object.location, services_)) {
    std::erase_if(response.headers, [](const auto& field) { return field.first == "x-amz-version-id"; });
  }
  response.piece = FilePiece{std::move(*content), reply.first_byte, reply.length};
  response.head_only = reply.head_only;
  response.faults = transfer_faults(faults, reply);
  told.first_byte = reply.first_byte;
  report_when_sent(response, std::move(told));
  return response;
}

ObjectFaults ObjectHandler::ask_for_faults(const HttpRequestHead& head, const ObjectReply& reply) {
  if (!faults_ || reply.presigned_expires_at == 0) return {};
  return faults_(
      {++fault_requests_, head.peer, head.method, reply.object, reply.asked, reply.presigned_expires_at});
}

HttpResponse ObjectHandler::answer(const S3Result<S3Answer>& answer, Told told) {
  if (!answer) return error_answer(answer.error(), std::move(told));
  HttpResponse response;
  response.status = answer->status;
  response.headers = common_headers(RequestIds(parts_.uuid), parts_.clock);
  append(response.headers, answer->headers);
  if (!answer->document.empty()) response.headers.emplace_back("Content-Type", "application/xml");
  response.body = answer->document;
  response.head_only = told.head_only;
  report_when_sent(response, std::move(told));
  return response;
}

HttpResponse ObjectHandler::error_answer(const S3Error& error, Told told) {
  constexpr int kNotModified = 304;  // which has no document
  const RequestIds ids(parts_.uuid);
  HttpResponse response;
  response.status = error.status;
  response.headers = common_headers(ids, parts_.clock);
  append(response.headers, error.headers);
  if (error.status != kNotModified) {
    response.headers.emplace_back("Content-Type", "application/xml");
    response.body = cloud::s3_error_document(error, ids.id, ids.id2);
  }
  response.head_only = told.head_only;
  told.error = error.cause.empty() ? error.code : fmt::format("{}: {}", error.code, error.cause);
  report_when_sent(response, std::move(told));
  return response;
}

void ObjectHandler::report_when_sent(HttpResponse& answer, Told told) {
  answer.on_sent = [&log = parts_.log, told = std::move(told), status = answer.status,
                    object = answer.piece.has_value()](std::int64_t bytes, const std::string& failure) {
    const std::string& error = failure.empty() ? told.error : failure;
    if (!told.is_read || !told.is_device) {
      nlohmann::json request{
          {"service", "s3"}, {"operation", told.operation}, {"status", status}, {"bytes", bytes}};
      if (!error.empty()) request["error"] = error;
      log.emit("cloud", "api_request", std::move(request));
    }
    if (!told.is_read) return;
    nlohmann::json event{{"bucket", told.location.bucket},   {"key", told.location.key},
                         {"version", told.location.version}, {"status", status},
                         {"first_byte", told.first_byte},    {"bytes", object ? bytes : 0}};
    if (!error.empty()) event["error"] = error;
    if (!told.faults.empty()) event["fault"] = told.faults;
    log.emit("cloud", "object_request", std::move(event));
  };
}

}  // namespace otasim::rest
