// Listings of objects: by key, page by page, with common prefixes.
//
// Rows are read a page at a time. Keys that share a common prefix are passed over as far as the rows reach,
// and what is left of them is jumped over, so that a listing reads about as many rows as it lists entries,
// however many objects a prefix has.
#include <algorithm>

#include "sim/cloud/object_store.h"

namespace otasim::cloud {

namespace {

/// The first string that is behind all that begin with `prefix`; nothing if none is.
std::optional<std::string> behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

/// The key up to the delimiter behind the prefix; nothing for a key that is listed itself.
std::optional<std::string> common_prefix(const std::string& key, const ListObjectsRequest& request) {
  if (request.delimiter.empty()) return std::nullopt;
  const std::size_t at = key.find(request.delimiter, request.prefix.size());
  if (at == std::string::npos) return std::nullopt;
  return key.substr(0, at + request.delimiter.size());
}

/// Where reading goes on: keys from `first`, and of the key `after.key` what is behind `after`.
struct ReadingPlace {
  std::string first;
  ObjectPosition after = {};
  bool at_end = false;  ///< nothing can be behind it
};

ReadingPlace behind(const ObjectPosition& position, const std::string& prefix) {
  if (!position.is_common_prefix) return {std::max(prefix, position.key), position};
  auto next = behind_prefix(position.key);
  if (!next) return {{}, {}, true};
  return {std::max(prefix, *next), {}};
}

/// Fills a page with rows that come in order.
class PageFiller {
 public:
  PageFiller(const ListObjectsRequest& request, ObjectPage& page) : request_(request), page_(page) {
    // The page before may have ended with the common prefix that its rows go on with.
    if (request.after && request.after->is_common_prefix) last_ = *request.after;
  }

  /// @returns false once the page is full and there is more
  bool take(ObjectInfo object) {
    ++rows_;
    auto prefix = common_prefix(object.location.key, request_);
    if (prefix && last_.is_common_prefix && last_.key == *prefix) return true;
    if (static_cast<std::int64_t>(page_.objects.size() + page_.common_prefixes.size()) == request_.limit) {
      page_.next = last_;
      return false;
    }
    if (prefix) {
      page_.common_prefixes.push_back(*prefix);
      last_ = {std::move(*prefix), 0, true};
      return true;
    }
    // Among latest versions a key that gets a new one between two pages is not listed twice.
    last_ = {object.location.key, request_.all_versions ? object.sequence : 0};
    page_.objects.push_back(std::move(object));
    return true;
  }

  [[nodiscard]] const ObjectPosition& last() const { return last_; }
  /// Rows taken since it was asked last.
  std::int64_t rows() { return std::exchange(rows_, 0); }

 private:
  const ListObjectsRequest& request_;
  ObjectPage& page_;
  ObjectPosition last_;
  std::int64_t rows_ = 0;
};

}  // namespace

ServiceResult<ObjectPage> ObjectStore::list(const ListObjectsRequest& request) {
  const std::optional<std::string> end = behind_prefix(request.prefix);
  ObjectPage page;
  PageFiller filler(request, page);
  ReadingPlace place = behind(request.after.value_or(ObjectPosition{}), request.prefix);
  const std::int64_t rows_at_once = request.limit + 1;  // the last one only tells that there is more
  while (!place.at_end) {
    bool goes_on = true;
    const auto read = database_.query(
        "SELECT key, version_id, size, etag, created_at, content, sequence, headers, checksum, "
        "NOT EXISTS (SELECT 1 FROM objects AS n "
        "WHERE n.bucket = o.bucket AND n.key = o.key AND n.sequence > o.sequence) AS latest "
        "FROM objects AS o WHERE bucket = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) "
        "AND (key > ?4 OR (key = ?4 AND sequence < ?5)) AND (?6 OR (latest AND content <> '')) "
        "ORDER BY key, sequence DESC LIMIT ?7",
        {request.bucket, place.first, end ? Value(*end) : Value(nullptr), place.after.key,
         place.after.sequence, std::int64_t{request.all_versions}, rows_at_once},
        [&](const Row& row) {
          if (!goes_on) return;
          ObjectInfo info{
              {request.bucket, row.text(0), row.text(1)}, row.integer(2), row.text(3), row.integer(4)};
          info.content = row.text(5);
          info.sequence = row.integer(6);
          info.headers = headers_from_lines(row.text(7));
          const std::string checksum = row.text(8);
          info.checksum.algorithm = checksum.substr(0, checksum.find(':'));
          info.latest = row.integer(9) != 0;
          goes_on = filler.take(std::move(info));
        });
    if (!read) return tl::unexpected(ServiceError(read.error()));
    if (!goes_on || filler.rows() < rows_at_once) break;
    place = behind(filler.last(), request.prefix);
  }
  return page;
}

}  // namespace otasim::cloud
