#include "sim/cloud/things.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace otasim::cloud {

namespace {

Thing read_thing(const Row& row) {
  return {ThingName::trusted(row.text(0)), row.text(1), row.integer(2), row.integer(3),
          attributes_from_text(row.text(4))};
}

ServiceResult<void> check_version(const Thing& thing, const std::optional<std::int64_t>& expected) {
  if (!expected || *expected == thing.version) return {};
  return refuse(ErrorCode::kVersionMismatch,
                fmt::format("Thing {} has version {}, not {}.", thing.name.str(), thing.version, *expected));
}

}  // namespace

ServiceResult<Thing> Things::create(const ThingName& name, const Attributes& attributes) {
  if (auto valid = check_attributes(attributes); !valid) return tl::unexpected(valid.error());
  return database_.transaction([&]() -> ServiceResult<Thing> {
    auto known = describe(name);
    if (known && !attributes.empty() && known->attributes != attributes) {
      return refuse(ErrorCode::kResourceAlreadyExists,
                    fmt::format("Thing {} already exists with other attributes.", name.str()));
    }
    if (known || known.error().code != ErrorCode::kResourceNotFound) return known;
    const auto made = jobs_.retarget(name, [&]() -> ServiceResult<void> {
      const auto added =
          database_.execute("INSERT INTO things(name, thing_id, created_at, attributes) VALUES (?, ?, ?, ?)",
                            {name.str(), uuid_(), clock_.now(), attributes_to_text(attributes)});
      if (!added) return tl::unexpected(added.error());
      return {};
    });
    if (!made) return tl::unexpected(made.error());
    return describe(name);
  });
}

ServiceResult<void> Things::update(const UpdateThingRequest& request) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto thing = describe(request.name);
    if (!thing) return tl::unexpected(thing.error());
    if (auto valid = check_version(*thing, request.expected_version); !valid) return valid;
    const Attributes attributes =
        request.attributes ? updated_attributes(thing->attributes, *request.attributes, request.merge)
                           : thing->attributes;
    if (auto valid = check_attributes(attributes); !valid) return valid;
    const auto saved =
        database_.execute("UPDATE things SET attributes = ?, version = version + 1 WHERE name = ?",
                          {attributes_to_text(attributes), request.name.str()});
    if (!saved) return tl::unexpected(saved.error());
    return {};
  });
}

ServiceResult<Thing> Things::describe(const ThingName& name) {
  std::optional<Thing> thing;
  const auto read =
      database_.query("SELECT name, thing_id, created_at, version, attributes FROM things WHERE name = ?",
                      {name.str()}, [&](const Row& row) { thing = read_thing(row); });
  if (!read) return tl::unexpected(read.error());
  if (!thing)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Thing {} does not exist.", name.str()));
  return *thing;
}

ServiceResult<Page<Thing>> Things::list(const ListThingsRequest& request) {
  const auto start = start_page(request.page);
  if (!start) return tl::unexpected(start.error());
  std::vector<Thing> all;
  const auto read = database_.query(
      "SELECT name, thing_id, created_at, version, attributes FROM things WHERE name > ?1 AND (?2 = '' OR "
      "EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ?2 AND "
      "CASE WHEN ?4 THEN substr(value, 1, length(?3)) = ?3 ELSE value = ?3 END)) ORDER BY name LIMIT ?5",
      {start->after, request.attribute_name, request.attribute_value,
       static_cast<std::int64_t>(request.value_is_prefix), start->limit},
      [&all](const Row& row) { all.push_back(read_thing(row)); });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const Thing& thing) { return thing.name.str(); });
}

ServiceResult<void> Things::remove(const ThingName& name, std::optional<std::int64_t> expected_version) {
  return database_.transaction([&]() -> ServiceResult<void> {
    const auto thing = describe(name);
    if (!thing) return tl::unexpected(thing.error());
    if (auto valid = check_version(*thing, expected_version); !valid) return valid;
    const auto principals = principals_of(name);
    if (!principals) return tl::unexpected(principals.error());
    if (!principals->empty()) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Thing {} has principals attached: detach them first.", name.str()));
    }
    if (auto ended = jobs_.remove_executions_of(name); !ended) return ended;
    // Its memberships go with it (ON DELETE CASCADE).
    const auto removed = database_.execute("DELETE FROM things WHERE name = ?", {name.str()});
    if (!removed) return tl::unexpected(removed.error());
    return {};
  });
}

ServiceResult<void> Things::attach_principal(const ThingName& thing, const std::string& certificate_id) {
  return database_.transaction([&]() -> ServiceResult<void> {
    if (const auto known = describe(thing); !known) return tl::unexpected(known.error());
    const auto certificate = certificates_.describe(certificate_id);
    if (!certificate) return tl::unexpected(certificate.error());
    const auto things = things_of(certificate_id);
    if (!things) return tl::unexpected(things.error());
    const bool is_new = std::ranges::find(*things, thing) == things->end();
    if (is_new && things->size() >= kMaxThingsPerCertificate) {
      return refuse(ErrorCode::kLimitExceeded,
                    fmt::format("A certificate may be attached to {} things.", kMaxThingsPerCertificate));
    }
    const auto attached =
        database_.execute("INSERT OR IGNORE INTO thing_principals(principal, thing) VALUES (?, ?)",
                          {certificate_id, thing.str()});
    if (!attached) return tl::unexpected(attached.error());
    principals_.changed(certificate_id);
    return {};
  });
}

ServiceResult<void> Things::detach_principal(const ThingName& thing, const std::string& certificate_id) {
  return database_.transaction([&]() -> ServiceResult<void> {
    bool found = false;
    const auto removed =
        database_.query("DELETE FROM thing_principals WHERE principal = ? AND thing = ? RETURNING thing",
                        {certificate_id, thing.str()}, [&found](const Row&) { found = true; });
    if (!removed) return tl::unexpected(removed.error());
    if (!found) return refuse(ErrorCode::kResourceNotFound, "The principal is not attached to the thing.");
    principals_.changed(certificate_id);
    return {};
  });
}

ServiceResult<std::vector<std::string>> Things::principals_of(const ThingName& thing) {
  if (const auto known = describe(thing); !known) return tl::unexpected(known.error());
  std::vector<std::string> all;
  const auto read =
      database_.query("SELECT principal FROM thing_principals WHERE thing = ? ORDER BY principal",
                      {thing.str()}, [&all](const Row& row) { all.push_back(row.text(0)); });
  if (!read) return tl::unexpected(read.error());
  return all;
}

ServiceResult<std::vector<ThingName>> Things::things_of(const std::string& certificate_id) {
  std::vector<ThingName> all;
  const auto read = database_.query(
      "SELECT thing FROM thing_principals WHERE principal = ? ORDER BY thing", {certificate_id},
      [&all](const Row& row) { all.push_back(ThingName::trusted(row.text(0))); });
  if (!read) return tl::unexpected(read.error());
  return all;
}

}  // namespace otasim::cloud
