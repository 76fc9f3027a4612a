#include "sim/report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sim/base/text.h"

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

std::string seconds(std::int64_t wall_ms) {
  return fmt::format("{}.{:03}", wall_ms / 1000, wall_ms % 1000);
}

/// For an attribute, in which a plain line end would be read as a blank.
std::string attribute(std::string_view text) {
  std::string out;
  for (const char c : xml_escape(text)) out += c == '\n' ? std::string("&#10;") : std::string(1, c);
  return out;
}

void append_case(std::string& xml, const JunitCase& one) {
  auto out = std::back_inserter(xml);
  fmt::format_to(out, "  <testcase classname=\"{}\" name=\"{}\"", xml_escape(one.class_name),
                 xml_escape(one.name));
  if (one.wall_ms) fmt::format_to(out, " time=\"{}\"", seconds(*one.wall_ms));
  std::string content;
  auto inside = std::back_inserter(content);
  if (!one.properties.empty()) {
    content += "<properties>";
    for (const auto& [name, value] : one.properties) {
      fmt::format_to(inside, "<property name=\"{}\" value=\"{}\"/>", attribute(name), attribute(value));
    }
    content += "</properties>";
  }
  if (const char* element = element_of(one.result); element != nullptr) {
    fmt::format_to(inside, "<{} message=\"{}\"/>", element, attribute(one.message));
  }
  if (!one.output.empty()) fmt::format_to(inside, "<system-out>{}</system-out>", xml_escape(one.output));
  xml += content.empty() ? "/>\n" : ">" + content + "</testcase>\n";
}

}  // namespace

std::string xml_escape(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (c != '\n' && (c < ' ' || c > '~')) c = '?';
  }
  return escape_markup(printable);
}

std::string junit_xml(const JunitSuite& suite) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  auto out = std::back_inserter(xml);
  fmt::format_to(out,
                 "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
                 "time=\"{}\">\n",
                 xml_escape(suite.name), suite.cases.size(), count(suite, JunitCase::Result::kFailed),
                 count(suite, JunitCase::Result::kError), count(suite, JunitCase::Result::kSkipped),
                 seconds(suite.wall_ms));
  for (const JunitCase& one : suite.cases) append_case(xml, one);
  if (!suite.output.empty()) fmt::format_to(out, "  <system-out>{}</system-out>\n", xml_escape(suite.output));
  xml += "</testsuite>\n";
  return xml;
}

}  // namespace otasim::report
