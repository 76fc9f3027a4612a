#include "sim/rest/acm_api.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "sim/base/json_nesting.h"
#include "sim/cloud/base64.h"
#include "sim/cloud/json_body.h"
#include "sim/cloud/utc_time.h"
#include "sim/crypto/key.h"

namespace otasim::rest {

namespace {

using cloud::SigningCertificates;

constexpr std::string_view kAcm = "acm";
constexpr std::string_view kTargetPrefix = "CertificateManager.";
constexpr std::string_view kCodeSigningOnly =
    "Certificates for code signing, P-256 or RSA; tags are not kept.";
constexpr double kRate = 10;

ApiError acm_error(const cloud::ServiceError& error) {
  switch (error.code) {
    case cloud::ErrorCode::kResourceNotFound:
      return {400, "ResourceNotFoundException", error.message, {}, {}};
    case cloud::ErrorCode::kInternalError:
      return {500, "InternalFailure", error.message, {}, {}};
    case cloud::ErrorCode::kRequestThrottled:
      return {400, "ThrottlingException", error.message, {}, {}};
    default:
      return {400, "ValidationException", error.message, {}, {}};
  }
}

tl::unexpected<ApiError> refused(const cloud::ServiceError& error) {
  return tl::unexpected(acm_error(error));
}

/// A blob: base64 of PEM.
std::string blob(const MemberReader& from, const char* name) {
  constexpr std::size_t kMaxBlob = 100'000;
  const auto text = from.text(name, {.max = kMaxBlob});
  if (!text) return {};
  const auto bytes = cloud::base64_decode(*text);
  if (!bytes) from.fail_constraint(name, "", "Member must be base64");
  return bytes ? std::string(bytes->begin(), bytes->end()) : std::string{};
}

std::string arn_in(const MemberReader& body) {
  return body.required_text("CertificateArn", {.min = 20, .max = 2048});
}

ApiResult<Json> import_certificate(SigningCertificates& certificates, const MemberReader& body) {
  const cloud::CertificateImport import{blob(body, "Certificate"), blob(body, "PrivateKey"),
                                        blob(body, "CertificateChain")};
  const std::string arn = body.text("CertificateArn").value_or("");
  if (body.failed()) return Json();
  const auto imported = certificates.import(import, arn);
  if (!imported) return refused(imported.error());
  return Json{{"CertificateArn", *imported}};
}

ApiResult<Json> describe_certificate(SigningCertificates& certificates, const MemberReader& body) {
  const std::string arn = arn_in(body);
  if (body.failed()) return Json();
  const auto found = certificates.describe(arn);
  if (!found) return refused(found.error());
  const bool rsa = found->key == crypto::KeyKind::kRsa;
  return Json{{"Certificate",
               {{"CertificateArn", found->arn},
                {"DomainName", found->common_name},
                {"Serial", found->serial},
                {"Subject", found->subject},
                {"Issuer", found->issuer},
                {"CreatedAt", found->imported_at},
                {"ImportedAt", found->imported_at},
                {"Status", "ISSUED"},
                {"NotBefore", found->not_before},
                {"NotAfter", found->not_after},
                {"KeyAlgorithm", rsa ? "RSA_" + std::to_string(found->key_bits) : "EC_prime256v1"},
                {"InUseBy", Json::array()},
                {"Type", "IMPORTED"},
                {"KeyUsages", {{{"Name", "DIGITAL_SIGNATURE"}}}},
                {"ExtendedKeyUsages", {{{"Name", "CODE_SIGNING"}, {"OID", "1.3.6.1.5.5.7.3.3"}}}},
                {"RenewalEligibility", "INELIGIBLE"}}}};
}

ApiResult<Json> get_certificate(SigningCertificates& certificates, const MemberReader& body) {
  const std::string arn = arn_in(body);
  if (body.failed()) return Json();
  const auto found = certificates.describe(arn);
  if (!found) return refused(found.error());
  Json answer{{"Certificate", found->certificate}};
  if (!found->chain.empty()) answer["CertificateChain"] = found->chain;
  return answer;
}

ApiResult<Json> list_certificates(SigningCertificates& certificates, const MemberReader& body) {
  cloud::PageRequest page;
  page.max_results = static_cast<int>(body.integer("MaxItems", 1, 1000).value_or(100));
  page.max_results = std::min(page.max_results, cloud::kMaxPageSize);
  page.next_token = body.text("NextToken").value_or("");
  if (body.failed()) return Json();
  const auto found = certificates.list(page);
  if (!found) return refused(found.error());
  Json answer{{"CertificateSummaryList", Json::array()}};
  for (const auto& one : found->items) {
    answer["CertificateSummaryList"].push_back(
        {{"CertificateArn", one.arn}, {"DomainName", one.common_name}});
  }
  if (!found->next_token.empty()) answer["NextToken"] = found->next_token;
  return answer;
}

ApiResult<Json> delete_certificate(SigningCertificates& certificates, const MemberReader& body) {
  const std::string arn = arn_in(body);
  if (body.failed()) return Json();
  if (const auto removed = certificates.remove(arn); !removed) return refused(removed.error());
  return Json::object();
}

struct AcmOperation {
  std::string_view name;
  ApiResult<Json> (*run)(SigningCertificates& certificates, const MemberReader& body);
};

constexpr std::array kOperations{AcmOperation{"ImportCertificate", &import_certificate},
                                 AcmOperation{"DescribeCertificate", &describe_certificate},
                                 AcmOperation{"GetCertificate", &get_certificate},
                                 AcmOperation{"ListCertificates", &list_certificates},
                                 AcmOperation{"DeleteCertificate", &delete_certificate}};

Operation description_of(const AcmOperation& operation) {
  return {kAcm, operation.name, "POST", "/", kCodeSigningOnly, kRate};
}

std::string operation_of(const HttpRequestHead& head) {
  const std::string target = head.text("X-Amz-Target");
  return target.starts_with(kTargetPrefix) ? target.substr(kTargetPrefix.size()) : std::string{};
}

}  // namespace

class AcmApi::Exchange final : public HttpExchange {
 public:
  Exchange(AcmApi& api, HttpRequestHead head) : api_(api), head_(std::move(head)) {}

  [[nodiscard]] std::uint64_t max_body_bytes() const override { return kMaxJsonBody; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> max_body_time() const override {
    return kMaxJsonBodyTime;
  }
  std::optional<HttpResponse> on_body(std::span<const std::uint8_t> piece) override {
    body_.append(piece.begin(), piece.end());
    return std::nullopt;
  }
  HttpResponse on_end() override { return api_.answer(head_, body_); }
  HttpResponse too_large() override {
    return api_.finish(
        tl::unexpected(ApiError{413, "RequestEntityTooLargeException", "The body is too large.", {}, {}}),
        operation_of(head_));
  }

 private:
  AcmApi& api_;
  HttpRequestHead head_;
  std::string body_;
};

bool AcmApi::recognizes(const HttpRequestHead& head) {
  return head.text("X-Amz-Target").starts_with(kTargetPrefix);
}

HttpHandler::Decision AcmApi::begin(const HttpRequestHead& head) {
  const std::string name = operation_of(head);
  const auto* const operation = std::ranges::find(kOperations, name, &AcmOperation::name);
  if (operation == kOperations.end() || head.method != "POST") {
    return finish(tl::unexpected(ApiError{
                      400, "UnknownOperationException", "The requested operation is not known.", {}, {}}),
                  name);
  }
  const Operation asked = description_of(*operation);
  if (auto why = authenticator_.refuse_unread({head, asked, {}})) {
    return finish(tl::unexpected(*std::move(why)), name);
  }
  return std::make_unique<Exchange>(*this, head);
}

HttpResponse AcmApi::refuse(const HttpRefusal& refusal) {
  return finish(tl::unexpected(ApiError{
                    400, "BadRequestException", "This is no HTTP request: " + refusal.detail + ".", {}, {}}),
                {});
}

HttpResponse AcmApi::answer(const HttpRequestHead& head, const std::string& body) {
  return finish(call(head, body), operation_of(head));
}

ApiResult<Json> AcmApi::call(const HttpRequestHead& head, const std::string& body) {
  // begin() has let nothing else pass.
  const auto* const operation = std::ranges::find(kOperations, operation_of(head), &AcmOperation::name);
  const std::string hash =
      crypto::hex(crypto::sha256({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()}));
  const Operation asked = description_of(*operation);
  if (auto why = authenticator_.refuse({head, asked, {}}, hash)) return tl::unexpected(*std::move(why));
  if (parts_.throttle && !throttle_.admit(operation->name, kRate, std::chrono::steady_clock::now())) {
    return refused({cloud::ErrorCode::kRequestThrottled, "Rate exceeded"});
  }
  const Json json = nesting_depth(body) > kMaxNesting
                        ? Json()
                        : Json::parse(body.empty() ? "{}" : body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return tl::unexpected(ApiError{400, "SerializationException", "The body is not a JSON object.", {}, {}});
  }
  std::optional<ApiError> error;
  auto result = operation->run(certificates_, MemberReader(json, "", error));
  if (!error) return result;
  error->name = "ValidationException";
  return tl::unexpected(*std::move(error));
}

HttpResponse AcmApi::finish(const ApiResult<Json>& result, const std::string& operation) {
  HttpResponse response;
  nlohmann::json event{{"service", kAcm}, {"operation", operation.empty() ? "unknown" : operation}};
  if (result) {
    response.body = cloud::to_text(*result);
  } else {
    response.status = result.error().status;
    response.headers.emplace_back("x-amzn-ErrorType", result.error().name);
    response.body =
        cloud::to_text(Json{{"__type", result.error().name}, {"message", result.error().message}});
    event["error"] = result.error().name;
  }
  event["status"] = response.status;
  event["bytes"] = response.body.size();
  response.headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
  response.headers.emplace_back("x-amzn-RequestId", parts_.uuid());
  response.headers.emplace_back("Date", cloud::http_date(parts_.clock.now()));
  parts_.log.emit("cloud", "api_request", std::move(event));
  return response;
}

std::vector<Operation> acm_operations() {
  std::vector<Operation> operations;
  for (const AcmOperation& one : kOperations) operations.push_back(description_of(one));
  return operations;
}

}  // namespace otasim::rest
