// AWS's cron expressions: `cron(minutes hours day-of-month month day-of-week year)`, UTC.
//
//   const auto cron = AwsCron::parse("cron(30 2 ? * SUN *)");
//   const auto next = cron->next_at_or_after(now);            // epoch seconds
//
// Fields hold numbers, names (JAN-DEC, SUN-SAT; days of the week count from SUN = 1), lists `1,5`, ranges
// `1-5`, steps `0/15`, `1-10/2`, and `*`. Day of month takes `L` (the last) and `15W` (the weekday nearest to
// the 15th) as well; day of week takes `5L` (the month's last) and `3#2` (the month's second). Exactly one of
// the two day fields is `?`. The outer `cron( )` may be left out. Source: the EventBridge Scheduler's user
// guide, which AWS IoT Jobs' maintenance windows refer to.
//
// Any text is parsed in time linear to its length, and a search ends with the last year AWS knows (2199).
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

namespace otasim::cloud {

class AwsCron {
 public:
  /// @returns nothing for what is no expression
  [[nodiscard]] static std::optional<AwsCron> parse(std::string_view text);

  /// The first minute that matches, at `time` or later, as epoch seconds.
  /// @returns nothing if there is none until the end of 2199
  [[nodiscard]] std::optional<std::int64_t> next_at_or_after(std::int64_t time) const;

  /// Whether a day matches the day and month fields. @param month 1 to 12 @param day 1 to 31, must exist
  [[nodiscard]] bool matches_day(int year, unsigned month, unsigned day) const;
  [[nodiscard]] bool matches_year(int year) const;
  [[nodiscard]] bool matches_time(unsigned hour, unsigned minute) const {
    return hours_[hour] && minutes_[minute];
  }

  static constexpr int kFirstYear = 1970;
  static constexpr int kLastYear = 2199;

 private:
  AwsCron() = default;
  [[nodiscard]] bool parse_days_of_month(std::string_view field);
  [[nodiscard]] bool parse_days_of_week(std::string_view field);

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_of_month_;  ///< by their number
  std::bitset<13> months_;
  std::bitset<8> days_of_week_;  ///< 1 is Sunday
  std::bitset<kLastYear - kFirstYear + 1> years_;
  bool by_day_of_week_ = false;
  bool last_day_ = false;                 ///< `L`
  unsigned nearest_weekday_ = 0;          ///< of `15W`
  std::optional<unsigned> last_of_week_;  ///< of `5L`
  unsigned nth_ = 0;                      ///< of `3#2`: 2, and nth_day_ is 3
  unsigned nth_day_ = 0;
};

}  // namespace otasim::cloud
