#include "sim/cloud/policies.h"

#include <fmt/format.h>

#include <optional>

#include "sim/broker/iot_policy.h"

namespace otasim::cloud {

namespace {

Policy policy_of(const Row& row) {
  return {PolicyName::trusted(row.text(0)), row.text(1), row.integer(2)};
}

tl::unexpected<ServiceError> no_policy(const PolicyName& name) {
  return refuse(ErrorCode::kResourceNotFound, fmt::format("Policy {} does not exist.", name.str()));
}

}  // namespace

ServiceResult<Policy> Policies::create(const PolicyName& name, const std::string& document) {
  if (const auto parsed = broker::IotPolicy::parse(document); !parsed) {
    return refuse(ErrorCode::kMalformedPolicy, parsed.error());
  }
  return database_.transaction([&]() -> ServiceResult<Policy> {
    const auto known = describe(name);
    if (known) {
      return refuse(ErrorCode::kResourceAlreadyExists, fmt::format("Policy {} exists already.", name.str()));
    }
    if (known.error().code != ErrorCode::kResourceNotFound) return known;
    const auto added = database_.execute("INSERT INTO policies(name, document, created_at) VALUES (?, ?, ?)",
                                         {name.str(), document, clock_.now()});
    if (!added) return tl::unexpected(added.error());
    return describe(name);
  });
}

ServiceResult<Policy> Policies::describe(const PolicyName& name) {
  std::optional<Policy> policy;
  const auto read = database_.query("SELECT name, document, created_at FROM policies WHERE name = ?",
                                    {name.str()}, [&policy](const Row& row) { policy = policy_of(row); });
  if (!read) return tl::unexpected(read.error());
  if (!policy) return no_policy(name);
  return *policy;
}

ServiceResult<Page<Policy>> Policies::list(const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  std::vector<Policy> all;
  const auto read = database_.query(
      "SELECT name, document, created_at FROM policies WHERE name > ? ORDER BY name LIMIT ?",
      {start->after, start->limit}, [&all](const Row& row) { all.push_back(policy_of(row)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const Policy& policy) { return policy.name.str(); });
}

ServiceResult<void> Policies::remove(const PolicyName& name) {
  return database_.transaction([&]() -> ServiceResult<void> {
    if (const auto known = describe(name); !known) return tl::unexpected(known.error());
    const auto used = exists("SELECT 1 FROM policy_targets WHERE policy = ? LIMIT 1", name.str());
    if (!used) return tl::unexpected(used.error());
    if (*used) {
      return refuse(ErrorCode::kDeleteConflict,
                    fmt::format("Policy {} is attached to certificates: detach it first.", name.str()));
    }
    const auto removed = database_.execute("DELETE FROM policies WHERE name = ?", {name.str()});
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

ServiceResult<void> Policies::attach(const PolicyName& name, const std::string& certificate_id) {
  return database_.transaction([&]() -> ServiceResult<void> {
    if (const auto known = describe(name); !known) return tl::unexpected(known.error());
    const auto attached = attached_to(certificate_id, {.max_results = kMaxPageSize});
    if (!attached) return tl::unexpected(attached.error());
    for (const Policy& policy : attached->items) {
      if (policy.name == name) return {};
    }
    if (attached->items.size() >= kMaxPoliciesPerCertificate) {
      return refuse(ErrorCode::kLimitExceeded,
                    fmt::format("A certificate may have {} policies.", kMaxPoliciesPerCertificate));
    }
    const auto added = database_.execute("INSERT INTO policy_targets(policy, certificate_id) VALUES (?, ?)",
                                         {name.str(), certificate_id});
    if (!added) return tl::unexpected(added.error());
    principals_.changed(certificate_id);
    return {};
  });
}

ServiceResult<void> Policies::detach(const PolicyName& name, const std::string& certificate_id) {
  return database_.transaction([&]() -> ServiceResult<void> {
    bool found = false;
    const auto removed =
        database_.query("DELETE FROM policy_targets WHERE policy = ? AND certificate_id = ? RETURNING policy",
                        {name.str(), certificate_id}, [&found](const Row&) { found = true; });
    if (!removed) return tl::unexpected(removed.error());
    if (!found) {
      return refuse(ErrorCode::kResourceNotFound,
                    fmt::format("Policy {} is not attached to the certificate.", name.str()));
    }
    principals_.changed(certificate_id);
    return {};
  });
}

ServiceResult<Page<Policy>> Policies::attached_to(const std::string& certificate_id,
                                                  const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  const auto known = exists("SELECT 1 FROM certificates WHERE certificate_id = ?", certificate_id);
  if (!known) return tl::unexpected(known.error());
  if (!*known) return refuse(ErrorCode::kResourceNotFound, "The certificate does not exist.");
  std::vector<Policy> all;
  const auto read = database_.query(
      "SELECT name, document, created_at FROM policy_targets JOIN policies ON name = policy "
      "WHERE certificate_id = ? AND name > ? ORDER BY name LIMIT ?",
      {certificate_id, start->after, start->limit},
      [&all](const Row& row) { all.push_back(policy_of(row)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const Policy& policy) { return policy.name.str(); });
}

ServiceResult<Page<std::string>> Policies::targets_of(const PolicyName& name, const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  if (const auto known = describe(name); !known) return tl::unexpected(known.error());
  std::vector<std::string> all;
  const auto read = database_.query(
      "SELECT certificate_id FROM policy_targets WHERE policy = ? AND certificate_id > ? "
      "ORDER BY certificate_id LIMIT ?",
      {name.str(), start->after, start->limit}, [&all](const Row& row) { all.push_back(row.text(0)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const std::string& id) { return id; });
}

ServiceResult<bool> Policies::exists(std::string_view sql, const std::string& key) {
  bool found = false;
  const auto read = database_.query(sql, {key}, [&found](const Row&) { found = true; });
  if (!read) return tl::unexpected(read.error());
  return found;
}

}  // namespace otasim::cloud
