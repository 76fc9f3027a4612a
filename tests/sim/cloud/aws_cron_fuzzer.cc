// AWS's cron expressions.
//
// Input: an expression and a time, epoch seconds in decimal, one a line.
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/cloud/aws_cron.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using otasim::cloud::AwsCron;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86'400;
/// Until 2199; times behind it have no next.
constexpr std::int64_t kLatest = 7'258'118'400;

std::int64_t time_of(std::string_view text) {
  std::int64_t time = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), time);
  return time;
}

bool matches(const AwsCron& cron, std::int64_t time) {
  const std::chrono::sys_days day{std::chrono::days(time / kDay)};
  const std::chrono::year_month_day date(day);
  const auto minute = static_cast<unsigned>(time % kDay / kMinute);
  return time % kMinute == 0 && cron.matches_year(static_cast<int>(date.year())) &&
         cron.matches_day(static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                          static_cast<unsigned>(date.day())) &&
         cron.matches_time(minute / 60, minute % 60);
}

void check(std::string_view text, std::int64_t time) {
  const auto cron = AwsCron::parse(text);
  const auto wrapped = AwsCron::parse("cron(" + std::string{text} + ")");
  claim(!cron || text.starts_with("cron(") || wrapped.has_value(), "the outer cron( ) may be left out");
  if (!cron) return;
  claim(text.find('?') != std::string_view::npos, "one of the days is left open");
  const auto next = cron->next_at_or_after(time);
  if (!next) {
    claim(!cron->next_at_or_after(kLatest - kMinute), "a time that is later has no next either");
    return;
  }
  claim(*next >= time && *next < kLatest, "the next time is not over");
  claim(matches(*cron, *next), "the next time matches");
  claim(cron->next_at_or_after(*next) == next, "a time that matches is its own next");
  claim(cron->next_at_or_after(time + (*next - time) / 2) == next, "there is none before it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view expression = take_line(rest);
  check(expression, time_of(take_line(rest)) % (2 * kLatest));
  return 0;
}
