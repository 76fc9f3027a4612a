#include "sim/report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace otasim::report {
namespace {

/// The element within a <testcase> that says how it ended; null if it passed.
const char* element_of(JunitCase::Result result) {
  switch (result) {
    case JunitCase::Result::kFailed:
      return "failure";
    case JunitCase::Result::kSkipped:
      return "skipped";
    case JunitCase::Result::kError:
      return "error";
    case JunitCase::Result::kPassed:
      break;
  }
  return nullptr;
}

std::ptrdiff_t count(const JunitSuite& suite, JunitCase::Result result) {
  return std::ranges::count(suite.cases, result, &JunitCase::result);
}

}  // namespace

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += c;
        break;
      default:
        out += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return out;
}

std::string junit_xml(const JunitSuite& suite) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  auto out = std::back_inserter(xml);
  fmt::format_to(out,
                 "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
                 "time=\"{}.{:03}\">\n",
                 xml_escape(suite.name), suite.cases.size(), count(suite, JunitCase::Result::kFailed),
                 count(suite, JunitCase::Result::kError), count(suite, JunitCase::Result::kSkipped),
                 suite.wall_ms / 1000, suite.wall_ms % 1000);
  for (const JunitCase& one : suite.cases) {
    fmt::format_to(out, "  <testcase classname=\"{}\" name=\"{}\"", xml_escape(one.class_name),
                   xml_escape(one.name));
    if (const char* element = element_of(one.result); element != nullptr) {
      fmt::format_to(out, "><{} message=\"{}\"/></testcase>\n", element, xml_escape(one.message));
    } else {
      xml += "/>\n";
    }
  }
  if (!suite.output.empty()) fmt::format_to(out, "  <system-out>{}</system-out>\n", xml_escape(suite.output));
  xml += "</testsuite>\n";
  return xml;
}

}  // namespace otasim::report
