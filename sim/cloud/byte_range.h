// The Range header of a GET (RFC 9110, section 14), one range of bytes.
//
//   const auto asked = parse_range("bytes=0-499");            // nothing: as if there were no such header
//   const auto range = asked->within(object_size);            // nothing: cannot be satisfied, 416
//
// Several ranges, other units and anything malformed count as no header, as RFC 9110 allows and S3 does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otasim::cloud {

/// Bytes `first` to `last`, both included.
struct ByteRange {
  std::int64_t first = 0;
  std::int64_t last = 0;

  [[nodiscard]] std::int64_t length() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

/// A range as it is asked for: `first-last`, `first-`, or the last so many bytes.
struct RangeRequest {
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> last;
  std::int64_t suffix_length = 0;  ///< if there is no `first`

  /// The bytes of an object of this size that are meant. @returns nothing if there are none
  [[nodiscard]] std::optional<ByteRange> within(std::int64_t size) const;
};

/// @param value  of the header; numbers beyond 2^63 count as 2^63 - 1
[[nodiscard]] std::optional<RangeRequest> parse_range(std::string_view value);

/// `bytes 0-499/1234`
[[nodiscard]] std::string content_range(const ByteRange& range, std::int64_t size);

}  // namespace otasim::cloud
