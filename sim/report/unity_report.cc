#include "sim/report/unity_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace otasim::report {
namespace {

/// Takes text from the front of what is left of a line; once something is missing, everything is.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  /// Up to `end`, which is taken too.
  std::string_view until(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) return miss();
    const std::string_view found = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return found;
  }

  unsigned number_until(std::string_view end) {
    const std::string_view digits = until(end);
    unsigned value = 0;
    const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc{} || stop != digits.end()) miss();
    return value;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool is_well() const { return is_well_; }

 private:
  std::string_view miss() {
    is_well_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool is_well_ = true;
};

std::optional<UnityCase::Result> result_of(std::string_view word) {
  if (word == "PASS") return UnityCase::Result::kPassed;
  if (word == "FAIL") return UnityCase::Result::kFailed;
  if (word == "IGNORE") return UnityCase::Result::kIgnored;
  return std::nullopt;
}

}  // namespace

bool UnityReport::add_line(std::string_view line) {
  if (is_complete()) return false;
  if (summary_ && (line == "OK" || line == "FAIL")) {
    verdict_ = line == "OK";
    return true;
  }
  const bool is_rule = !line.empty() && line.find_first_not_of('-') == std::string_view::npos;
  return add_result(line) || add_summary(line) || is_rule;
}

/// file:line:TEST(group, name):PASS, or FAIL or IGNORE with ": message".
bool UnityReport::add_result(std::string_view line) {
  Reader reader(line);
  UnityCase result;
  result.file = reader.until(":");
  result.line = reader.number_until(":TEST(");
  result.group = reader.until(", ");
  result.name = reader.until("):");
  if (!reader.is_well()) return false;
  const std::string_view outcome = reader.rest();
  const std::size_t colon = std::min(outcome.find(": "), outcome.size());
  const auto kind = result_of(outcome.substr(0, colon));
  if (!kind) return false;
  result.result = *kind;
  if (colon < outcome.size()) result.message = outcome.substr(colon + 2);
  cases_.push_back(std::move(result));
  return true;
}

/// "15 Tests 0 Failures 0 Ignored", with a blank at its end or not.
bool UnityReport::add_summary(std::string_view line) {
  Reader reader(line);
  Summary summary;
  summary.tests = reader.number_until(" Tests ");
  summary.failures = reader.number_until(" Failures ");
  summary.ignored = reader.number_until(" Ignored");
  if (!reader.is_well()) return false;
  summary_ = summary;
  return true;
}

std::size_t UnityReport::count(UnityCase::Result result) const {
  return static_cast<std::size_t>(std::ranges::count(cases_, result, &UnityCase::result));
}

std::string UnityReport::problem() const {
  if (!is_complete()) return fmt::format("the summary never came; {} results did", cases_.size());
  const std::size_t failed = count(UnityCase::Result::kFailed);
  if (summary_->tests != cases_.size() || summary_->failures != failed ||
      summary_->ignored != count(UnityCase::Result::kIgnored) || *verdict_ != (failed == 0)) {
    return fmt::format(
        "the summary ({} tests, {} failures) does not agree with the {} results, {} of them failures",
        summary_->tests, summary_->failures, cases_.size(), failed);
  }
  if (cases_.empty()) return "no test ran";
  if (failed != 0) return fmt::format("{} of {} tests failed", failed, cases_.size());
  return {};
}

}  // namespace otasim::report
