// Test results as JUnit's XML, which CI systems read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otasim::report {

struct JunitCase {
  enum class Result { kPassed, kFailed, kSkipped, kError };

  std::string class_name;
  std::string name;
  Result result = Result::kPassed;
  std::string message = {};  ///< for all but kPassed
  std::optional<std::int64_t> wall_ms = {};
  std::vector<std::pair<std::string, std::string>> properties = {};
  std::string output = {};  ///< what was printed meanwhile
};

struct JunitSuite {
  std::string name;
  std::int64_t wall_ms = 0;
  std::vector<JunitCase> cases = {};
  std::string output = {};  ///< what was printed meanwhile
};

/// One <testsuite>, a <testcase> for each case. Characters that XML has no place for become '?'.
[[nodiscard]] std::string junit_xml(const JunitSuite& suite);

/// `text` for an attribute or an element's content.
[[nodiscard]] std::string xml_escape(std::string_view text);

}  // namespace otasim::report
