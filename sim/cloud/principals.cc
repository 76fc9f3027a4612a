#include "sim/cloud/principals.h"

#include <unordered_map>

#include "sim/broker/iot_policy.h"

namespace otasim::cloud {

Principals::Principals(Database& database, Certificates& certificates)
    : database_(database),
      certificate_changes_(
          certificates.listen([this](const CertificateRecord& certificate) { tell(certificate.id); })) {}

ServiceResult<std::optional<PrincipalGrants>> Principals::grants_of(const std::string& certificate_id) {
  std::optional<PrincipalGrants> grants;
  const auto known = database_.query("SELECT 1 FROM certificates WHERE certificate_id = ? AND status = ?",
                                     {certificate_id, to_string(CertificateStatus::kActive)},
                                     [&](const Row&) { grants = PrincipalGrants{certificate_id}; });
  if (!known) return tl::unexpected(known.error());
  if (!grants) return grants;
  const auto things =
      database_.query("SELECT thing FROM thing_principals WHERE principal = ? ORDER BY thing",
                      {certificate_id}, [&grants](const Row& row) { grants->things.push_back(row.text(0)); });
  if (!things) return tl::unexpected(things.error());
  const auto policies = database_.query(
      "SELECT document FROM policy_targets JOIN policies ON name = policy WHERE certificate_id = ? ORDER BY "
      "name",
      {certificate_id},
      [&grants](const Row& row) { grants->policies.push_back(broker::compact(row.text(0))); });
  if (!policies) return tl::unexpected(policies.error());
  return grants;
}

ServiceResult<std::vector<PrincipalGrants>> Principals::active() {
  std::vector<PrincipalGrants> all;
  std::unordered_map<std::string, std::size_t> place;
  const auto known =
      database_.query("SELECT certificate_id FROM certificates WHERE status = ? ORDER BY certificate_id",
                      {to_string(CertificateStatus::kActive)}, [&](const Row& row) {
                        place[row.text(0)] = all.size();
                        all.push_back({row.text(0)});
                      });
  if (!known) return tl::unexpected(known.error());
  const auto things = database_.query(
      "SELECT principal, thing FROM thing_principals ORDER BY principal, thing", {}, [&](const Row& row) {
        const auto found = place.find(row.text(0));
        if (found != place.end()) all[found->second].things.push_back(row.text(1));
      });
  if (!things) return tl::unexpected(things.error());
  const auto policies = database_.query(
      "SELECT certificate_id, document FROM policy_targets JOIN policies ON name = policy "
      "ORDER BY certificate_id, name",
      {}, [&](const Row& row) {
        const auto found = place.find(row.text(0));
        if (found != place.end()) all[found->second].policies.push_back(broker::compact(row.text(1)));
      });
  if (!policies) return tl::unexpected(policies.error());
  return all;
}

void Principals::changed(const std::string& certificate_id) {
  database_.after_commit([this, certificate_id] { tell(certificate_id); });
}

void Principals::tell(const std::string& certificate_id) {
  listeners_.for_each([&](const Listener& listener) { listener(certificate_id); });
}

}  // namespace otasim::cloud
