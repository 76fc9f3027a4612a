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

bool has_form_of_amz_date(std::string_view text) {
  constexpr std::string_view kForm = "00000000T000000Z";
  return std::ranges::equal(text, kForm,
                            [](char c, char form) { return form == '0' ? c >= '0' && c <= '9' : c == form; });
}

}  // namespace

std::string http_date(std::int64_t epoch_seconds) {
  // Not from the locale: HTTP's names are English.
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
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

std::optional<std::int64_t> parse_amz_date(std::string_view text) {
  if (!has_form_of_amz_date(text)) return std::nullopt;
  const year_month_day date(std::chrono::year(number(text.substr(0, 4))),
                            std::chrono::month(static_cast<unsigned>(number(text.substr(4, 2)))),
                            std::chrono::day(static_cast<unsigned>(number(text.substr(6, 2)))));
  const int hours = number(text.substr(9, 2));
  const int minutes = number(text.substr(11, 2));
  const int secs = number(text.substr(13, 2));
  if (!date.ok() || hours > 23 || minutes > 59 || secs > 59) return std::nullopt;
  return (sys_days(date).time_since_epoch() + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
          seconds(secs))
      .count();
}

}  // namespace otasim::cloud
