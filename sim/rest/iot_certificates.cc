// Certificates: made by the lab's authority, or brought.
#include <fmt/format.h>
#include <openssl/x509.h>

#include "sim/cloud/arn.h"
#include "sim/crypto/certificate.h"
#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

using cloud::CertificateStatus;

constexpr std::size_t kIdLength = 64;
constexpr std::size_t kMaxPem = 65'536;
const TextRule kPem{.min = 1, .max = kMaxPem};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string certificate_id(const ApiCall& call) {
  return call.uri.required_text(
      "certificateId",
      {.min = kIdLength, .max = kIdLength, .allows = is_hex, .pattern = "(0x)?[a-fA-F0-9]+"});
}

/// The statuses that an operator may give; what belongs to transfers and CAs is not here.
std::optional<CertificateStatus> status_of(const MemberReader& from, const char* name) {
  const auto given = from.one_of(
      name, {"ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION"});
  if (!given) return std::nullopt;
  for (const CertificateStatus status :
       {CertificateStatus::kActive, CertificateStatus::kInactive, CertificateStatus::kRevoked}) {
    if (*given == to_string(status)) return status;
  }
  from.fail(invalid_request(fmt::format("The status {} cannot be set by an operator.", *given)));
  return std::nullopt;
}

/// Registers a certificate that the issuer has just made.
ApiResult<Json> keep_issued(IotServices& iot, ApiCall& call, const Result<CertificateIssuer::Issued>& issued,
                            bool active) {
  if (!issued) {
    if (issued.error().code == ExitCode::kUsage)
      return tl::unexpected(invalid_request(issued.error().message));
    return tl::unexpected(ApiError{500, "InternalFailureException", issued.error().message, {}, {}});
  }
  const auto record = iot.cloud.certificates().register_certificate(
      issued->certificate_pem, active ? CertificateStatus::kActive : CertificateStatus::kInactive);
  if (!record) return call.refused(record.error());
  Json answer{{"certificateArn", cloud::iot_arn("cert", record->id)},
              {"certificateId", record->id},
              {"certificatePem", record->pem}};
  if (!issued->private_key_pem.empty()) {
    answer["keyPair"] = {{"PublicKey", issued->public_key_pem}, {"PrivateKey", issued->private_key_pem}};
  }
  return answer;
}

ApiResult<Json> keep_brought(IotServices& iot, ApiCall& call, const std::string& pem,
                             CertificateStatus status) {
  const auto certificate = crypto::Certificate::from_pem(pem);
  if (!certificate) {
    return tl::unexpected(
        ApiError{400, "CertificateValidationException", "The certificate cannot be read.", {}, {}});
  }
  const std::string id = certificate->fingerprint();
  const auto known = iot.cloud.certificates().describe(id);
  if (known) {
    return tl::unexpected(ApiError{409, "ResourceAlreadyExistsException",
                                   "The certificate is already provisioned or registered", id,
                                   cloud::iot_arn("cert", id)});
  }
  const auto record = iot.cloud.certificates().register_certificate(pem, status);
  if (!record) return call.refused(record.error());
  return Json{{"certificateArn", cloud::iot_arn("cert", id)}, {"certificateId", id}};
}

}  // namespace

ApiResult<Json> create_keys_and_certificate(IotServices& iot, ApiCall& call) {
  const bool active = call.uri.boolean("setAsActive");
  if (call.failed()) return call.error();
  return keep_issued(iot, call, iot.issuer.issue_with_key(), active);
}

ApiResult<Json> create_certificate_from_csr(IotServices& iot, ApiCall& call) {
  const bool active = call.uri.boolean("setAsActive");
  const auto csr = call.body.required_text("certificateSigningRequest", {.min = 1, .max = 4096});
  if (call.failed()) return call.error();
  return keep_issued(iot, call, iot.issuer.issue_for_request(csr), active);
}

ApiResult<Json> register_certificate(IotServices& iot, ApiCall& call) {
  const auto pem = call.body.required_text("certificatePem", kPem);
  const auto authority = call.body.text("caCertificatePem", kPem).value_or(iot.issuer.authority_pem());
  const auto status = status_of(call.body, "status");
  const bool active = call.uri.boolean("setAsActive");
  if (call.failed()) return call.error();
  const auto issuer = crypto::Certificate::from_pem(authority);
  const auto lab = crypto::Certificate::from_pem(iot.issuer.authority_pem());
  const auto certificate = crypto::Certificate::from_pem(pem);
  const bool known_issuer = issuer && lab && issuer->fingerprint() == lab->fingerprint();
  if (!known_issuer || !certificate || !certificate->is_issued_by(*issuer)) {
    return tl::unexpected(ApiError{
        400, "CertificateValidationException", "The certificate is not one of a registered CA's.", {}, {}});
  }
  return keep_brought(iot, call, pem,
                      status.value_or(active ? CertificateStatus::kActive : CertificateStatus::kInactive));
}

ApiResult<Json> register_certificate_without_ca(IotServices& iot, ApiCall& call) {
  const auto pem = call.body.required_text("certificatePem", kPem);
  const auto status = status_of(call.body, "status");
  if (call.failed()) return call.error();
  return keep_brought(iot, call, pem, status.value_or(CertificateStatus::kInactive));
}

ApiResult<Json> describe_certificate(IotServices& iot, ApiCall& call) {
  const auto id = certificate_id(call);
  if (call.failed()) return call.error();
  const auto record = iot.cloud.certificates().describe(id);
  if (!record) return call.refused(record.error());
  Json description{{"certificateArn", cloud::iot_arn("cert", id)},
                   {"certificateId", id},
                   {"status", to_string(record->status)},
                   {"certificatePem", record->pem},
                   {"ownedBy", cloud::kAccount},
                   {"creationDate", record->created_at},
                   {"lastModifiedDate", record->last_modified_at},
                   {"customerVersion", 1},
                   {"generationId", id.substr(0, 36)},
                   {"certificateMode", "DEFAULT"}};
  if (const auto certificate = crypto::Certificate::from_pem(record->pem)) {
    const auto from = crypto::epoch_seconds(X509_get0_notBefore(certificate->get()));
    const auto until = crypto::epoch_seconds(X509_get0_notAfter(certificate->get()));
    if (from && until) description["validity"] = {{"notBefore", *from}, {"notAfter", *until}};
  }
  return Json{{"certificateDescription", std::move(description)}};
}

ApiResult<Json> update_certificate(IotServices& iot, ApiCall& call) {
  const auto id = certificate_id(call);
  const auto status = status_of(call.uri, "newStatus");
  if (!status) call.uri.fail_missing("newStatus");
  if (call.failed()) return call.error();
  const auto done = iot.cloud.certificates().set_status(id, *status);
  if (!done) return call.refused(done.error());
  return Json();
}

ApiResult<Json> list_certificates(IotServices& iot, ApiCall& call) {
  const auto page = call.page("pageSize", "marker");
  if (call.failed()) return call.error();
  const auto all = iot.cloud.certificates().list(page);
  if (!all) return call.refused(all.error());
  Json answer{{"certificates", Json::array()}};
  for (const cloud::CertificateRecord& record : all->items) {
    answer["certificates"].push_back({{"certificateArn", cloud::iot_arn("cert", record.id)},
                                      {"certificateId", record.id},
                                      {"status", to_string(record.status)},
                                      {"certificateMode", "DEFAULT"},
                                      {"creationDate", record.created_at}});
  }
  add_next_token(answer, all->next_token, "nextMarker");
  return answer;
}

ApiResult<Json> delete_certificate(IotServices& iot, ApiCall& call) {
  const auto id = certificate_id(call);
  const bool force = call.uri.boolean("forceDelete");
  if (call.failed()) return call.error();
  const auto record = iot.cloud.certificates().describe(id);
  if (!record) return call.refused(record.error());
  if (record->status == CertificateStatus::kActive) {
    return tl::unexpected(ApiError{406,
                                   "CertificateStateException",
                                   "The certificate must be deactivated (not ACTIVE) before deletion.",
                                   {},
                                   {}});
  }
  const auto removed = iot.cloud.certificates().remove(id, {.with_policies = force});
  if (!removed) return call.refused(removed.error());
  return Json();
}

}  // namespace otasim::rest
