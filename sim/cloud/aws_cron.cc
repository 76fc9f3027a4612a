#include "sim/cloud/aws_cron.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace otasim::cloud {

namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::size_t kFields = 6;
/// More than an expression with every value spelt out is long.
constexpr std::size_t kMaxLength = 1024;
constexpr unsigned kSunday = 1;
constexpr unsigned kSaturday = 7;
constexpr unsigned kDaysPerWeek = 7;
constexpr unsigned kMaxDay = 31;
constexpr unsigned kMaxWeeks = 5;
constexpr std::int64_t kSecondsPerMinute = 60;
constexpr std::int64_t kSecondsPerHour = 60 * kSecondsPerMinute;
constexpr std::int64_t kSecondsPerDay = 24 * kSecondsPerHour;

constexpr std::array<std::string_view, 12> kMonths{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                   "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kDays{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

/// What the values of a field may be.
struct Domain {
  unsigned least;
  unsigned most;
  const std::string_view* names = nullptr;  ///< of the values from 1 on
  std::size_t name_count = 0;
};

constexpr Domain kMinutes{0, 59};
constexpr Domain kHours{0, 23};
constexpr Domain kDaysOfMonth{1, kMaxDay};
constexpr Domain kMonthsOfYear{1, 12, kMonths.data(), kMonths.size()};
constexpr Domain kDaysOfWeek{kSunday, kSaturday, kDays.data(), kDays.size()};
constexpr Domain kYears{AwsCron::kFirstYear, AwsCron::kLastYear};

bool equals_ignoring_case(std::string_view text, std::string_view upper) {
  return std::ranges::equal(
      text, upper, [](char c, char u) { return c == u || (c >= 'a' && c <= 'z' && c - 'a' + 'A' == u); });
}

std::optional<unsigned> parse_number(std::string_view text) {
  constexpr std::size_t kMaxDigits = 4;
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<unsigned> parse_value(std::string_view text, const Domain& domain) {
  for (std::size_t i = 0; i < domain.name_count; ++i) {
    if (equals_ignoring_case(text, domain.names[i])) return static_cast<unsigned>(i + 1);
  }
  const auto value = parse_number(text);
  if (!value || *value < domain.least || *value > domain.most) return std::nullopt;
  return value;
}

/// Takes the text up to a separator off. @returns nothing when there is none left
std::optional<std::string_view> take(std::string_view& text, bool& more, char separator) {
  if (!more) return std::nullopt;
  const std::size_t at = text.find(separator);
  const std::string_view first = text.substr(0, at);
  more = at != std::string_view::npos;
  text = more ? text.substr(at + 1) : std::string_view{};
  return first;
}

/// One of a list's parts: `*`, `5`, `1-5`, each with or without a step. @returns whether it is one
template <std::size_t N>
bool parse_part(std::string_view part, const Domain& domain, std::bitset<N>& values) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  const bool stepped = slash != std::string_view::npos;
  const auto step = stepped ? parse_number(part.substr(slash + 1)) : 1U;
  if (!step || *step == 0) return false;
  unsigned first = domain.least;
  unsigned last = domain.most;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    const auto from = parse_value(range.substr(0, dash), domain);
    const auto to = dash != std::string_view::npos ? parse_value(range.substr(dash + 1), domain)
                    : stepped                      ? std::optional(domain.most)
                                                   : from;
    if (!from || !to || *from > *to) return false;
    first = *from;
    last = *to;
  }
  const unsigned base = domain.least >= N ? domain.least : 0;
  for (unsigned value = first; value <= last; value += *step) values.set(value - base);
  return true;
}

template <std::size_t N>
bool parse_list(std::string_view field, const Domain& domain, std::bitset<N>& values) {
  bool more = true;
  while (const auto part = take(field, more, ',')) {
    if (!parse_part(*part, domain, values)) return false;
  }
  return values.any();
}

/// The six fields. @returns whether there are six
bool split(std::string_view text, std::array<std::string_view, kFields>& fields) {
  std::size_t count = 0;
  bool more = true;
  while (const auto field = take(text, more, ' ')) {
    if (field->empty()) continue;
    if (count == kFields) return false;
    fields[count++] = *field;
  }
  return count == kFields;
}

unsigned days_in(int year, unsigned month) {
  return static_cast<unsigned>(
      std::chrono::year_month_day_last(std::chrono::year(year),
                                       std::chrono::month_day_last(std::chrono::month(month)))
          .day());
}

/// 1 is Sunday.
unsigned day_of_week(int year, unsigned month, unsigned day) {
  const sys_days date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return std::chrono::weekday(date).c_encoding() + 1;
}

/// The weekday (Monday to Friday) nearest to a day, within its month. @returns 0 if the month lacks the day
unsigned nearest_weekday(int year, unsigned month, unsigned day) {
  const unsigned last = days_in(year, month);
  if (day > last) return 0;
  switch (day_of_week(year, month, day)) {
    case kSaturday:
      return day > 1 ? day - 1 : day + 2;
    case kSunday:
      return day < last ? day + 1 : day - 2;
    default:
      return day;
  }
}

}  // namespace

bool AwsCron::parse_days_of_month(std::string_view field) {
  if (field == "L") {
    last_day_ = true;
    return true;
  }
  if (field.size() > 1 && field.ends_with('W')) {
    const auto day = parse_value(field.substr(0, field.size() - 1), kDaysOfMonth);
    nearest_weekday_ = day.value_or(0);
    return day.has_value();
  }
  return parse_list(field, kDaysOfMonth, days_of_month_);
}

bool AwsCron::parse_days_of_week(std::string_view field) {
  by_day_of_week_ = true;
  if (const std::size_t hash = field.find('#'); hash != std::string_view::npos) {
    const auto day = parse_value(field.substr(0, hash), kDaysOfWeek);
    const auto nth = parse_number(field.substr(hash + 1));
    if (!day || !nth || *nth < 1 || *nth > kMaxWeeks) return false;
    nth_day_ = *day;
    nth_ = *nth;
    return true;
  }
  if (field == "L") {
    days_of_week_.set(kSaturday);
    return true;
  }
  if (field.size() > 1 && field.ends_with('L')) {
    last_of_week_ = parse_value(field.substr(0, field.size() - 1), kDaysOfWeek);
    return last_of_week_.has_value();
  }
  return parse_list(field, kDaysOfWeek, days_of_week_);
}

std::optional<AwsCron> AwsCron::parse(std::string_view text) {
  if (text.size() > kMaxLength) return std::nullopt;
  if (text.starts_with("cron(") && text.ends_with(')')) text = text.substr(5, text.size() - 6);
  std::array<std::string_view, kFields> fields;
  if (!split(text, fields)) return std::nullopt;
  const bool any_day_of_month = fields[2] == "?";
  const bool any_day_of_week = fields[4] == "?";
  if (any_day_of_month == any_day_of_week) return std::nullopt;
  AwsCron cron;
  const bool days =
      any_day_of_month ? cron.parse_days_of_week(fields[4]) : cron.parse_days_of_month(fields[2]);
  if (!days || !parse_list(fields[0], kMinutes, cron.minutes_) ||
      !parse_list(fields[1], kHours, cron.hours_) || !parse_list(fields[3], kMonthsOfYear, cron.months_) ||
      !parse_list(fields[5], kYears, cron.years_)) {
    return std::nullopt;
  }
  return cron;
}

bool AwsCron::matches_year(int year) const {
  return year >= kFirstYear && year <= kLastYear && years_[static_cast<std::size_t>(year - kFirstYear)];
}

bool AwsCron::matches_day(int year, unsigned month, unsigned day) const {
  if (!months_[month]) return false;
  if (!by_day_of_week_) {
    if (last_day_) return day == days_in(year, month);
    if (nearest_weekday_ != 0) return day == nearest_weekday(year, month, nearest_weekday_);
    return days_of_month_[day];
  }
  const unsigned weekday = day_of_week(year, month, day);
  if (nth_ != 0) return weekday == nth_day_ && (day - 1) / kDaysPerWeek + 1 == nth_;
  if (last_of_week_) return weekday == *last_of_week_ && day + kDaysPerWeek > days_in(year, month);
  return days_of_week_[weekday];
}

std::optional<std::int64_t> AwsCron::next_at_or_after(std::int64_t time) const {
  // Years, their days, then minutes of the first day: at most as many steps as there are days until the last
  // year; a few hundred once its years are over.
  const std::int64_t from = std::max<std::int64_t>(time, 0);
  const std::int64_t minute = (from + kSecondsPerMinute - 1) / kSecondsPerMinute * kSecondsPerMinute;
  std::int64_t of_day = minute % kSecondsPerDay;
  for (sys_days date(std::chrono::days(minute / kSecondsPerDay));; date += std::chrono::days(1), of_day = 0) {
    const year_month_day civil(date);
    const int year = static_cast<int>(civil.year());
    if (year > kLastYear) return std::nullopt;
    if (!matches_year(year)) {
      date = civil.year() / std::chrono::December / 31;
      continue;
    }
    if (!matches_day(year, static_cast<unsigned>(civil.month()), static_cast<unsigned>(civil.day()))) {
      continue;
    }
    for (std::int64_t at = of_day; at < kSecondsPerDay; at += kSecondsPerMinute) {
      if (!matches_time(static_cast<unsigned>(at / kSecondsPerHour),
                        static_cast<unsigned>(at % kSecondsPerHour / kSecondsPerMinute))) {
        continue;
      }
      return date.time_since_epoch().count() * kSecondsPerDay + at;
    }
  }
}

}  // namespace otasim::cloud
