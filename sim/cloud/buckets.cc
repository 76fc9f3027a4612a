#include "sim/cloud/buckets.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace otasim::cloud {

namespace {

constexpr std::size_t kMinNameLength = 3;
constexpr std::size_t kMaxNameLength = 63;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Four numbers with dots between them, whatever their size.
bool looks_like_address(std::string_view name) {
  const bool numbers = std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return numbers && std::ranges::count(name, '.') == 3;
}

S3Error no_such_bucket(const std::string& name) {
  return {404, "NoSuchBucket", "The specified bucket does not exist", {{"BucketName", name}}};
}

Versioning versioning_of_name(std::string_view name) {
  if (name == "Enabled") return Versioning::kEnabled;
  return name == "Suspended" ? Versioning::kSuspended : Versioning::kNever;
}

BucketInfo read_bucket(const Row& row) {
  return {row.text(0), versioning_of_name(row.text(1)), row.integer(2)};
}

}  // namespace

std::string_view to_string(Versioning versioning) {
  switch (versioning) {
    case Versioning::kNever:
      return "Never";
    case Versioning::kEnabled:
      return "Enabled";
    case Versioning::kSuspended:
      return "Suspended";
  }
  return "Never";
}

bool is_bucket_name(std::string_view name) {
  if (name.size() < kMinNameLength || name.size() > kMaxNameLength) return false;
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) return false;
  if (!std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; })) {
    return false;
  }
  constexpr std::array kReservedPrefixes{"xn--", "sthree-", "amzn-s3-demo-"};
  constexpr std::array kReservedSuffixes{"-s3alias", "--ol-s3", ".mrap", "--x-s3"};
  const auto begins = [name](const char* prefix) { return name.starts_with(prefix); };
  const auto ends = [name](const char* suffix) { return name.ends_with(suffix); };
  return name.find("..") == std::string_view::npos && !looks_like_address(name) &&
         std::ranges::none_of(kReservedPrefixes, begins) && std::ranges::none_of(kReservedSuffixes, ends);
}

S3Result<void> Buckets::create(const std::string& name) {
  if (!is_bucket_name(name)) {
    return tl::unexpected(
        S3Error{400, "InvalidBucketName", "The specified bucket is not valid.", {{"BucketName", name}}});
  }
  bool made = false;
  const auto inserted =
      database_.query("INSERT INTO buckets VALUES (?, 'Never', ?) ON CONFLICT(name) DO NOTHING RETURNING 1",
                      {name, clock_.now()}, [&made](const Row&) { made = true; });
  if (!inserted) return tl::unexpected(S3Error(inserted.error()));
  if (!made) {
    return tl::unexpected(
        S3Error{409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                {{"BucketName", name}}});
  }
  return {};
}

S3Result<void> Buckets::ensure(const std::string& name) {
  const auto inserted = database_.execute(
      "INSERT INTO buckets VALUES (?, 'Enabled', ?) ON CONFLICT(name) DO NOTHING", {name, clock_.now()});
  if (!inserted) return tl::unexpected(S3Error(inserted.error()));
  return {};
}

S3Result<BucketInfo> Buckets::describe(const std::string& name) {
  std::optional<BucketInfo> bucket;
  const auto read = database_.query("SELECT name, versioning, created_at FROM buckets WHERE name = ?", {name},
                                    [&bucket](const Row& row) { bucket = read_bucket(row); });
  if (!read) return tl::unexpected(S3Error(read.error()));
  if (!bucket) return tl::unexpected(no_such_bucket(name));
  return *std::move(bucket);
}

S3Result<std::vector<BucketInfo>> Buckets::list() {
  std::vector<BucketInfo> all;
  const auto read = database_.query("SELECT name, versioning, created_at FROM buckets ORDER BY name", {},
                                    [&all](const Row& row) { all.push_back(read_bucket(row)); });
  if (!read) return tl::unexpected(S3Error(read.error()));
  return all;
}

S3Result<void> Buckets::set_versioning(const std::string& name, Versioning versioning) {
  bool found = false;
  const auto set = database_.query("UPDATE buckets SET versioning = ? WHERE name = ? RETURNING 1",
                                   {to_string(versioning), name}, [&found](const Row&) { found = true; });
  if (!set) return tl::unexpected(S3Error(set.error()));
  if (!found) return tl::unexpected(no_such_bucket(name));
  return {};
}

S3Result<void> Buckets::remove(const std::string& name) {
  return database_.transaction([&]() -> S3Result<void> {
    if (const auto bucket = describe(name); !bucket) return tl::unexpected(bucket.error());
    bool empty = true;
    const auto looked = database_.query("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", {name},
                                        [&empty](const Row&) { empty = false; });
    if (!looked) return tl::unexpected(S3Error(looked.error()));
    if (!empty) {
      return tl::unexpected(S3Error{
          409, "BucketNotEmpty", "The bucket you tried to delete is not empty", {{"BucketName", name}}});
    }
    std::vector<std::string> parts;
    const auto listed =
        database_.query("SELECT content FROM upload_parts JOIN uploads USING (upload_id) WHERE bucket = ?",
                        {name}, [&parts](const Row& row) { parts.push_back(row.text(0)); });
    if (!listed) return tl::unexpected(S3Error(listed.error()));
    if (const auto gone = database_.execute("DELETE FROM buckets WHERE name = ?", {name}); !gone) {
      return tl::unexpected(S3Error(gone.error()));
    }
    database_.after_commit([this, parts = std::move(parts)] {
      for (const std::string& content : parts) folder_.remove(content);
    });
    return {};
  });
}

}  // namespace otasim::cloud
