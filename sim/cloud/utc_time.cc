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

/// Whether a text has digits where the form has `0`, and is the form elsewhere.
bool has_form(std::string_view text, std::string_view form_text) {
  return std::ranges::equal(text, form_text,
                            [](char c, char form) { return form == '0' ? c >= '0' && c <= '9' : c == form; });
}

struct Fields {
  int year, month, day, hours, minutes, seconds;
};

std::optional<std::int64_t> epoch_seconds_of(const Fields& at) {
  const year_month_day date(std::chrono::year(at.year),
                            std::chrono::month(static_cast<unsigned>(at.month)),
                            std::chrono::day(static_cast<unsigned>(at.day)));
  if (!date.ok() || at.hours > 23 || at.minutes > 59 || at.seconds > 59) return std::nullopt;
  return (sys_days(date).time_since_epoch() + std::chrono::hours(at.hours) +
          std::chrono::minutes(at.minutes) + seconds(at.seconds))
      .count();
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
  return epoch_seconds_of({number(text.substr(12, 4)), static_cast<int>(month - kMonths.begin()) + 1,
                           number(text.substr(5, 2)), number(text.substr(17, 2)), number(text.substr(20, 2)),
                           number(text.substr(23, 2))});
}

std::optional<std::int64_t> parse_amz_date(std::string_view text) {
  if (!has_form(text, "00000000T000000Z")) return std::nullopt;
  return epoch_seconds_of({number(text.substr(0, 4)), number(text.substr(4, 2)), number(text.substr(6, 2)),
                           number(text.substr(9, 2)), number(text.substr(11, 2)),
                           number(text.substr(13, 2))});
}

}  // namespace otasim::cloud
