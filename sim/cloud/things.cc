#include "sim/cloud/things.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace otasim::cloud {

namespace {

constexpr std::size_t kFingerprintDigits = 64;

bool is_fingerprint(const std::string& text) {
  return text.size() == kFingerprintDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

ServiceResult<Thing> Things::create(const ThingName& name) {
  return database_.transaction([&]() -> ServiceResult<Thing> {
    auto created =
        database_.execute("INSERT OR IGNORE INTO things(name, thing_id, created_at) VALUES (?, ?, ?)",
                          {name.str(), uuid_(), clock_.now()});
    if (!created) return tl::unexpected(created.error());
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

ServiceResult<void> Things::attach_principal(const ThingName& thing, const std::string& fingerprint) {
  if (!is_fingerprint(fingerprint)) {
    return refuse(ErrorCode::kInvalidRequest,
                  "A principal is a certificate's SHA-256 in 64 lower-case hex digits.");
  }
  return database_.transaction([&]() -> ServiceResult<void> {
    if (const auto known = describe(thing); !known) return tl::unexpected(known.error());
    auto attached =
        database_.execute("INSERT OR REPLACE INTO thing_principals(principal, thing) VALUES (?, ?)",
                          {fingerprint, thing.str()});
    if (!attached) return tl::unexpected(attached.error());
    database_.after_commit([this, fingerprint, name = thing.str()] { tell(fingerprint, name); });
    return {};
  });
}

ServiceResult<void> Things::detach_principal(const std::string& fingerprint) {
  return database_.transaction([&]() -> ServiceResult<void> {
    bool found = false;
    const auto removed = database_.query("DELETE FROM thing_principals WHERE principal = ? RETURNING thing",
                                         {fingerprint}, [&found](const Row&) { found = true; });
    if (!removed) return tl::unexpected(removed.error());
    if (!found) return refuse(ErrorCode::kResourceNotFound, "The principal is not attached to a thing.");
    database_.after_commit([this, fingerprint] { tell(fingerprint, ""); });
    return {};
  });
}

ServiceResult<std::vector<Principal>> Things::principals() {
  std::vector<Principal> all;
  const auto read = database_.query("SELECT principal, thing FROM thing_principals ORDER BY principal", {},
                                    [&all](const Row& row) {
                                      all.push_back({row.text(0), ThingName::trusted(row.text(1))});
                                    });
  if (!read) return tl::unexpected(read.error());
  return all;
}

void Things::tell(const std::string& fingerprint, const std::string& thing) {
  listeners_.for_each([&](const PrincipalListener& listener) { listener(fingerprint, thing); });
}

}  // namespace otasim::cloud
