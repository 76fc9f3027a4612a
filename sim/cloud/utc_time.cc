#include "sim/cloud/utc_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace otasim::cloud {

namespace {

using std::chrono::days;
using std::chrono::hh_mm_ss;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

struct Civil {
  explicit Civil(std::int64_t epoch_seconds)
      : day(std::chrono::floor<days>(sys_seconds(seconds(epoch_seconds)))),
        date(day),
        time(sys_seconds(seconds(epoch_seconds)) - day) {}
  [[nodiscard]] int year() const { return static_cast<int>(date.year()); }
  [[nodiscard]] unsigned month() const { return static_cast<unsigned>(date.month()); }
  [[nodiscard]] unsigned day_of_month() const { return static_cast<unsigned>(date.day()); }

  sys_days day;
  year_month_day date;
  hh_mm_ss<seconds> time;
};

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

/// @param form  `0` stands for any digit
bool has_form(std::string_view text, std::string_view form) {
  return std::ranges::equal(text, form,
                            [](char c, char like) { return like == '0' ? c >= '0' && c <= '9' : c == like; });
}

/// @returns nothing for a date or a time of day that does not exist
std::optional<std::int64_t> epoch_of(std::string_view year, std::string_view month, std::string_view day,
                                     std::string_view hour, std::string_view minute, int second) {
  const year_month_day date(std::chrono::year(number(year)),
                            std::chrono::month(static_cast<unsigned>(number(month))),
                            std::chrono::day(static_cast<unsigned>(number(day))));
  const int hours = number(hour);
  const int minutes = number(minute);
  if (!date.ok() || hours > 23 || minutes > 59 || second > 59) return std::nullopt;
  return (sys_days(date).time_since_epoch() + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
          seconds(second))
      .count();
}

/// Seconds east of UTC. @returns nothing for what is no zone
std::optional<std::int64_t> zone_offset(std::string_view zone) {
  if (zone.empty() || zone == "Z") return 0;
  if (!has_form(zone, "+00:00") && !has_form(zone, "-00:00")) return std::nullopt;
  const int hours = number(zone.substr(1, 2));
  const int minutes = number(zone.substr(4, 2));
  if (hours > 23 || minutes > 59) return std::nullopt;
  const std::int64_t offset = (hours * 60 + minutes) * 60;
  return zone.front() == '-' ? -offset : offset;
}

// Not from the locale: HTTP's names are English.
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string http_date(std::int64_t epoch_seconds) {
  const Civil at(epoch_seconds);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday(at.day).c_encoding()], at.day_of_month(),
                     kMonths[at.month() - 1], at.year(), at.time.hours().count(), at.time.minutes().count(),
                     at.time.seconds().count());
}

std::string iso8601(std::int64_t epoch_seconds) {
  const Civil at(epoch_seconds);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year(), at.month(), at.day_of_month(),
                     at.time.hours().count(), at.time.minutes().count(), at.time.seconds().count());
}

std::string amz_date(std::int64_t epoch_seconds) {
  const Civil at(epoch_seconds);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", at.year(), at.month(), at.day_of_month(),
                     at.time.hours().count(), at.time.minutes().count(), at.time.seconds().count());
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  constexpr std::size_t kNameLength = 3;
  constexpr std::size_t kMonthAt = 8;
  if (text.size() <= kMonthAt + kNameLength) return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(kMonthAt, kNameLength));
  if (month == kMonths.end() || std::ranges::find(kDays, text.substr(0, kNameLength)) == kDays.end()) {
    return std::nullopt;
  }
  const std::string form = fmt::format("{}, 00 {} 0000 00:00:00 GMT", text.substr(0, kNameLength), *month);
  if (!has_form(text, form)) return std::nullopt;
  return epoch_of(text.substr(12, 4), fmt::format("{:02}", month - kMonths.begin() + 1), text.substr(5, 2),
                  text.substr(17, 2), text.substr(20, 2), number(text.substr(23, 2)));
}

std::optional<std::int64_t> parse_amz_date(std::string_view text) {
  if (!has_form(text, "00000000T000000Z")) return std::nullopt;
  return epoch_of(text.substr(0, 4), text.substr(4, 2), text.substr(6, 2), text.substr(9, 2),
                  text.substr(11, 2), number(text.substr(13, 2)));
}

std::optional<std::int64_t> parse_iso8601(std::string_view text) {
  constexpr std::string_view kMinutes = "0000-00-00T00:00";
  if (text.size() < kMinutes.size()) return std::nullopt;
  const std::string_view start = text.substr(0, kMinutes.size());
  if (!has_form(start, kMinutes) && !has_form(start, "0000-00-00 00:00")) return std::nullopt;
  std::string_view rest = text.substr(kMinutes.size());
  int second = 0;
  if (rest.size() >= 3 && has_form(rest.substr(0, 3), ":00")) {
    second = number(rest.substr(1, 2));
    rest.remove_prefix(3);
    if (rest.starts_with('.')) {
      const std::size_t digits = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
      if (digits == 1) return std::nullopt;
      rest.remove_prefix(digits);
    }
  }
  const auto offset = zone_offset(rest);
  const auto local = epoch_of(start.substr(0, 4), start.substr(5, 2), start.substr(8, 2), start.substr(11, 2),
                              start.substr(14, 2), second);
  if (!offset || !local) return std::nullopt;
  return *local - *offset;
}

}  // namespace otasim::cloud
