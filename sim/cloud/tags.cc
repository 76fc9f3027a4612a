#include "sim/cloud/tags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace otasim::cloud {

namespace {

constexpr std::size_t kMaxKey = 128;
constexpr std::size_t kMaxValue = 256;

struct Taggable {
  std::string_view kind;
  std::string_view query;
};

constexpr std::array kTaggable{
    Taggable{"thinggroup", "SELECT 1 FROM thing_groups WHERE name = ?"},
    Taggable{"job", "SELECT 1 FROM jobs WHERE job_id = ?"},
    Taggable{"stream", "SELECT 1 FROM streams WHERE stream_id = ?"},
    Taggable{"otaupdate", "SELECT 1 FROM ota_updates WHERE ota_update_id = ?"},
    Taggable{"jobtemplate", "SELECT 1 FROM job_templates WHERE template_id = ?"},
    Taggable{"policy", "SELECT 1 FROM policies WHERE name = ?"},
};

}  // namespace

ServiceResult<void> Tags::check(const TagMap& tags) {
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > kMaxKey || value.size() > kMaxValue) {
      return refuse(
          ErrorCode::kInvalidRequest,
          fmt::format("A tag's key has 1 to {} characters, its value at most {}.", kMaxKey, kMaxValue));
    }
    if (key.starts_with("aws:")) {
      return refuse(ErrorCode::kInvalidRequest, "Keys that begin with 'aws:' are AWS's own.");
    }
  }
  if (tags.size() > kMaxTags) {
    return refuse(ErrorCode::kLimitExceeded, fmt::format("A resource may have {} tags.", kMaxTags));
  }
  return {};
}

ServiceResult<void> Tags::find(const IotResource& resource) {
  const auto* const kind = std::ranges::find(kTaggable, resource.kind, &Taggable::kind);
  bool found = false;
  if (kind != kTaggable.end()) {
    const auto read = database_.query(kind->query, {resource.name}, [&found](const Row&) { found = true; });
    if (!read) return tl::unexpected(read.error());
  }
  if (!found) {
    return refuse(ErrorCode::kResourceNotFound,
                  fmt::format("Resource {} does not exist.", iot_arn(resource.kind, resource.name)));
  }
  return {};
}

ServiceResult<void> Tags::tag(const IotResource& resource, const TagMap& tags) {
  return database_.transaction([&]() -> ServiceResult<void> {
    auto all = of(resource);
    if (!all) return tl::unexpected(all.error());
    for (const auto& [key, value] : tags) (*all)[key] = value;
    if (auto valid = check(*all); !valid) return valid;
    for (const auto& [key, value] : tags) {
      const auto kept =
          database_.execute("INSERT OR REPLACE INTO tags(kind, name, key, value) VALUES (?, ?, ?, ?)",
                            {resource.kind, resource.name, key, value});
      if (!kept) return tl::unexpected(kept.error());
    }
    return {};
  });
}

ServiceResult<void> Tags::untag(const IotResource& resource, const std::vector<std::string>& keys) {
  return database_.transaction([&]() -> ServiceResult<void> {
    if (auto known = find(resource); !known) return known;
    for (const std::string& key : keys) {
      const auto removed = database_.execute("DELETE FROM tags WHERE kind = ? AND name = ? AND key = ?",
                                             {resource.kind, resource.name, key});
      if (!removed) return tl::unexpected(removed.error());
    }
    return {};
  });
}

ServiceResult<TagMap> Tags::of(const IotResource& resource) {
  if (auto known = find(resource); !known) return tl::unexpected(known.error());
  TagMap tags;
  const auto read = database_.query("SELECT key, value FROM tags WHERE kind = ? AND name = ?",
                                    {resource.kind, resource.name},
                                    [&tags](const Row& row) { tags.emplace(row.text(0), row.text(1)); });
  if (!read) return tl::unexpected(read.error());
  return tags;
}

}  // namespace otasim::cloud
