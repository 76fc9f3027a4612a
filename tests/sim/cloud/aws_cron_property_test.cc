// Expressions made of what they mean, and the next time found minute by minute.
#include "sim/cloud/aws_cron.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <functional>
#include <set>

namespace otasim::cloud {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86'400;

/// A field as text, and the values that it stands for.
struct Field {
  std::string text;
  std::set<unsigned> values;
};

/// A list of values, ranges and steps.
Field any_field(unsigned least, unsigned most) {
  Field field;
  const int parts = *rc::gen::inRange(1, 4);
  for (int i = 0; i < parts; ++i) {
    const unsigned first = *rc::gen::inRange(least, most + 1);
    const unsigned last = *rc::gen::inRange(first, most + 1);
    const unsigned step = *rc::gen::inRange(1U, 20U);
    std::string text;
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        text = "*";
        for (unsigned v = least; v <= most; ++v) field.values.insert(v);
        break;
      case 1:
        text = fmt::format("{}-{}", first, last);
        for (unsigned v = first; v <= last; ++v) field.values.insert(v);
        break;
      case 2:
        text = fmt::format("{}/{}", first, step);
        for (unsigned v = first; v <= most; v += step) field.values.insert(v);
        break;
      case 3:
        text = fmt::format("{}-{}/{}", first, last, step);
        for (unsigned v = first; v <= last; v += step) field.values.insert(v);
        break;
      default:
        text = fmt::format("{}", first);
        field.values.insert(first);
        break;
    }
    field.text += (i == 0 ? "" : ",") + text;
  }
  return field;
}

/// Both day fields as text, and the days that they stand for.
struct DayRule {
  std::string of_month;
  std::string of_week;
  std::function<bool(sys_days)> matches;
};

unsigned weekday_of(sys_days day) {
  return std::chrono::weekday(day).c_encoding() + 1;
}
unsigned month_of(sys_days day) {
  return static_cast<unsigned>(year_month_day(day).month());
}
unsigned day_of(sys_days day) {
  return static_cast<unsigned>(year_month_day(day).day());
}

DayRule any_day_rule() {
  const unsigned day = *rc::gen::inRange(1U, 32U);
  const unsigned weekday = *rc::gen::inRange(1U, 8U);
  const unsigned nth = *rc::gen::inRange(1U, 6U);
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return {"L", "?", [](sys_days d) { return month_of(d + days(1)) != month_of(d); }};
    case 1:
      // Of all weekdays in the month, the one that is nearest.
      return {fmt::format("{}W", day), "?", [day](sys_days d) {
                const sys_days wanted = d + days(static_cast<int>(day) - static_cast<int>(day_of(d)));
                if (month_of(wanted) != month_of(d) || day_of(wanted) != day) return false;
                for (const int offset : {0, -1, 1, -2, 2}) {
                  const sys_days candidate = wanted + days(offset);
                  const unsigned of_week = weekday_of(candidate);
                  if (month_of(candidate) != month_of(d) || of_week == 1 || of_week == 7) continue;
                  return candidate == d;
                }
                return false;
              }};
    case 2:
      return {"?", fmt::format("{}L", weekday), [weekday](sys_days d) {
                return weekday_of(d) == weekday && month_of(d + days(7)) != month_of(d);
              }};
    case 3:
      return {"?", fmt::format("{}#{}", weekday, nth), [weekday, nth](sys_days d) {
                const int before = 7 * static_cast<int>(nth);
                return weekday_of(d) == weekday && month_of(d - days(before - 7)) == month_of(d) &&
                       month_of(d - days(before)) != month_of(d);
              }};
    case 4: {
      const Field field = any_field(1, 7);
      return {"?", field.text, [field](sys_days d) { return field.values.contains(weekday_of(d)); }};
    }
    default: {
      const Field field = any_field(1, 31);
      return {field.text, "?", [field](sys_days d) { return field.values.contains(day_of(d)); }};
    }
  }
}

RC_GTEST_PROP(AwsCronProperty, TheNextTimeIsTheFirstThatMatches, ()) {
  const Field minutes = any_field(0, 59);
  const Field hours = any_field(0, 23);
  const Field months = any_field(1, 12);
  const DayRule rule = any_day_rule();
  const std::string text = fmt::format("cron({} {} {} {} {} *)", minutes.text, hours.text, rule.of_month,
                                       months.text, rule.of_week);
  const auto cron = AwsCron::parse(text);
  RC_ASSERT(cron.has_value());
  const std::int64_t from = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000);
  const auto next = cron->next_at_or_after(from);

  // Day by day, and within the first day that matches minute by minute.
  constexpr int kMostDays = 9 * 366;  // a fifth Saturday in February comes after 28 years at most; then stop
  std::optional<std::int64_t> first;
  for (std::int64_t day = from / kDay; !first && day < from / kDay + kMostDays; ++day) {
    const sys_days date{days(day)};
    if (!months.values.contains(month_of(date)) || !rule.matches(date)) continue;
    for (std::int64_t at = day * kDay; at < (day + 1) * kDay; at += kMinute) {
      const auto minute = static_cast<unsigned>(at % kDay / kMinute);
      if (at < from || !hours.values.contains(minute / 60) || !minutes.values.contains(minute % 60)) continue;
      first = at;
      break;
    }
  }
  if (first) {
    RC_ASSERT(next == first);
  } else {
    RC_ASSERT(!next || *next >= (from / kDay + kMostDays) * kDay);
  }
}

}  // namespace
}  // namespace otasim::cloud
