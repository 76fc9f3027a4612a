#include "sim/cloud/certificates.h"

#include <fmt/format.h>

#include "sim/crypto/certificate.h"

namespace otasim::cloud {

namespace {

CertificateRecord read_certificate(const Row& row) {
  CertificateRecord record{row.text(0), row.text(1), CertificateStatus::kRevoked, row.integer(3),
                           row.integer(4)};
  for (const CertificateStatus status : {CertificateStatus::kActive, CertificateStatus::kInactive}) {
    if (row.text(2) == to_string(status)) record.status = status;
  }
  return record;
}

}  // namespace

std::string_view to_string(CertificateStatus status) {
  switch (status) {
    case CertificateStatus::kActive:
      return "ACTIVE";
    case CertificateStatus::kInactive:
      return "INACTIVE";
    case CertificateStatus::kRevoked:
      return "REVOKED";
  }
  return "";
}

ServiceResult<CertificateRecord> Certificates::register_certificate(const std::string& pem,
                                                                    CertificateStatus status) {
  const auto certificate = crypto::Certificate::from_pem(pem);
  if (!certificate) return refuse(ErrorCode::kInvalidRequest, certificate.error().message);
  const std::string id = certificate->fingerprint();
  const auto added = database_.execute(
      "INSERT OR IGNORE INTO certificates(certificate_id, pem, status, created_at, last_modified_at) "
      "VALUES (?1, ?2, ?3, ?4, ?4)",
      {id, certificate->pem(), to_string(status), clock_.now()});
  if (!added) return tl::unexpected(added.error());
  return describe(id);
}

ServiceResult<CertificateRecord> Certificates::describe(const std::string& id) {
  std::optional<CertificateRecord> record;
  const auto read = database_.query(
      "SELECT certificate_id, pem, status, created_at, last_modified_at FROM certificates WHERE "
      "certificate_id = ?",
      {id}, [&record](const Row& row) { record = read_certificate(row); });
  if (!read) return tl::unexpected(read.error());
  if (!record) return refuse(ErrorCode::kResourceNotFound, fmt::format("Certificate {} does not exist.", id));
  return *record;
}

ServiceResult<Page<CertificateRecord>> Certificates::list(const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  std::vector<CertificateRecord> all;
  const auto read = database_.query(
      "SELECT certificate_id, pem, status, created_at, last_modified_at FROM certificates WHERE "
      "certificate_id > ? "
      "ORDER BY certificate_id LIMIT ?",
      {start->after, start->limit}, [&all](const Row& row) { all.push_back(read_certificate(row)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const CertificateRecord& record) { return record.id; });
}

ServiceResult<void> Certificates::set_status(const std::string& id, CertificateStatus status) {
  return database_.transaction([&]() -> ServiceResult<void> {
    auto record = describe(id);
    if (!record) return tl::unexpected(record.error());
    const auto saved =
        database_.execute("UPDATE certificates SET status = ?, last_modified_at = ? WHERE certificate_id = ?",
                          {to_string(status), clock_.now(), id});
    if (!saved) return tl::unexpected(saved.error());
    record->status = status;
    database_.after_commit([this, changed = *record] {
      listeners_.for_each([&](const StatusListener& listener) { listener(changed); });
    });
    return {};
  });
}

ServiceResult<void> Certificates::remove(const std::string& id, RemoveCertificateOptions options) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto record = describe(id);
    if (!record) return tl::unexpected(record.error());
    if (record->status == CertificateStatus::kActive) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Certificate {} is ACTIVE: make it INACTIVE first.", id));
    }
    if (options.with_policies) {
      // Undone if something else holds it. Nobody's rights change: it is not active.
      const auto taken = database_.execute("DELETE FROM policy_targets WHERE certificate_id = ?", {id});
      if (!taken) return tl::unexpected(taken.error());
    }
    bool attached = false;
    const auto read = database_.query(
        "SELECT 1 FROM thing_principals WHERE principal = ? UNION SELECT 1 FROM policy_targets "
        "WHERE certificate_id = ?",
        {id, id}, [&attached](const Row&) { attached = true; });
    if (!read) return tl::unexpected(read.error());
    if (attached) {
      return refuse(
          ErrorCode::kDeleteConflict,
          fmt::format("Certificate {} is attached to a thing or has a policy: detach it first.", id));
    }
    const auto removed = database_.execute("DELETE FROM certificates WHERE certificate_id = ?", {id});
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

}  // namespace otasim::cloud
