// Epoch seconds in the forms that HTTP and S3 write them, always UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otasim::cloud {

/// `Fri, 24 May 2013 00:00:00 GMT`, as HTTP's Date and Last-Modified.
[[nodiscard]] std::string http_date(std::int64_t epoch_seconds);
/// `2013-05-24T00:00:00Z`, as in S3's documents.
[[nodiscard]] std::string iso8601(std::int64_t epoch_seconds);
/// `20130524T000000Z`, as X-Amz-Date.
[[nodiscard]] std::string amz_date(std::int64_t epoch_seconds);

/// Epoch seconds of a date in the form of http_date(), the only one that HTTP lets clients send.
/// @returns nothing for any other form, or a date that does not exist
[[nodiscard]] std::optional<std::int64_t> parse_http_date(std::string_view text);
/// Epoch seconds of an X-Amz-Date. @returns nothing for any other form, or a date that does not exist
[[nodiscard]] std::optional<std::int64_t> parse_amz_date(std::string_view text);

/// Epoch seconds of `2013-05-24T13:05[:09[.123]][Z|+hh:mm|-hh:mm]`; a blank may stand for the `T`, and
/// without a zone it is UTC. @returns nothing for any other form, or a date that does not exist
[[nodiscard]] std::optional<std::int64_t> parse_iso8601(std::string_view text);

}  // namespace otasim::cloud
