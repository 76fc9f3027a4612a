// Results of tests that run on a device, read from its console in Unity's line format.
//
//   UnityReport report;
//   report.add_line(line);              // every line; those that are no result are passed over
//   if (report.is_complete()) ...       // the summary and its verdict have come
//   report.passed();
//
// The console is the device's and may say anything: the verdict counts only if it agrees with the lines
// before it, so a device that prints "OK" without having run its cases has not passed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otasim::report {

struct UnityCase {
  enum class Result { kPassed, kFailed, kIgnored };

  std::string group;
  std::string name;
  std::string file;
  unsigned line = 0;
  Result result = Result::kFailed;
  std::string message = {};  ///< why it failed or was ignored
};

class UnityReport {
 public:
  /// @returns whether the line is part of the report: a result or its summary
  bool add_line(std::string_view line);

  [[nodiscard]] const std::vector<UnityCase>& cases() const { return cases_; }
  [[nodiscard]] std::size_t count(UnityCase::Result result) const;
  [[nodiscard]] bool is_complete() const { return verdict_.has_value(); }
  [[nodiscard]] bool passed() const { return problem().empty(); }
  /// Why the tests as a whole did not pass, empty if they did.
  [[nodiscard]] std::string problem() const;

 private:
  struct Summary {
    unsigned tests = 0;
    unsigned failures = 0;
    unsigned ignored = 0;
  };
  bool add_result(std::string_view line);
  bool add_summary(std::string_view line);

  std::vector<UnityCase> cases_;
  std::optional<Summary> summary_;
  std::optional<bool> verdict_;
};

}  // namespace otasim::report
