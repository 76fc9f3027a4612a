#include "sim/cloud/things.h"

#include <fmt/format.h>

#include <optional>

namespace otasim::cloud {

ServiceResult<Thing> Things::create(const ThingName& name) {
  return database_.transaction([&]() -> ServiceResult<Thing> {
    if (auto known = describe(name); known || known.error().code != ErrorCode::kResourceNotFound)
      return known;
    const auto made = jobs_.retarget(name, [&]() -> ServiceResult<void> {
      const auto added = database_.execute("INSERT INTO things(name, thing_id, created_at) VALUES (?, ?, ?)",
                                           {name.str(), uuid_(), clock_.now()});
      if (!added) return tl::unexpected(added.error());
      return {};
    });
    if (!made) return tl::unexpected(made.error());
    return describe(name);
  });
}

ServiceResult<Thing> Things::describe(const ThingName& name) {
  std::optional<Thing> thing;
  const auto read = database_.query("SELECT thing_id, created_at FROM things WHERE name = ?", {name.str()},
                                    [&](const Row& row) {
                                      thing = Thing{name, row.text(0), row.integer(1)};
                                    });
  if (!read) return tl::unexpected(read.error());
  if (!thing)
    return refuse(ErrorCode::kResourceNotFound, fmt::format("Thing {} does not exist.", name.str()));
  return *thing;
}

ServiceResult<Page<Thing>> Things::list(const PageRequest& page) {
  const auto start = start_page(page);
  if (!start) return tl::unexpected(start.error());
  std::vector<Thing> all;
  const auto read =
      database_.query("SELECT name, thing_id, created_at FROM things WHERE name > ? ORDER BY name LIMIT ?",
                      {start->after, start->limit}, [&all](const Row& row) {
                        all.push_back({ThingName::trusted(row.text(0)), row.text(1), row.integer(2)});
                      });
  if (!read) return tl::unexpected(read.error());
  return make_page(std::move(all), *start, [](const Thing& thing) { return thing.name.str(); });
}

ServiceResult<void> Things::remove(const ThingName& name) {
  return database_.transaction([&]() -> ServiceResult<void> {
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
