#include "sim/report/html/linked_json.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"
#include "sim/report/html/html_report.h"

namespace otasim::report::html {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A path as a URL's: names that a scenario's author chose may hold anything.
std::string url_path(const std::string& path) {
  std::string url;
  for (const char c : path) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '/' || c == '-' || c == '.' || c == '_';
    if (is_plain) {
      url += c;
    } else {
      url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return url;
}

/// The page of a run inside the folder, empty if there is none. What has moved since is found by its last two
/// names.
fs::path page_of(const fs::path& folder, const fs::path& run) {
  std::error_code ignored;  // then it is not there
  const fs::path name = run.filename();
  for (const fs::path& at : {run.lexically_relative(folder), name, run.parent_path().filename() / name}) {
    if (at.empty() || at.is_absolute() || *at.begin() == "..") continue;
    if (fs::exists(folder / at / kReportFile, ignored)) return folder / at / kReportFile;
  }
  return {};
}

}  // namespace

Result<json> read_linked_json(const std::string& folder, const std::string& file, const std::string& list,
                              const std::string& page_folder) {
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  const fs::path from = fs::absolute(page_folder).lexically_normal();
  const std::string path = (absolute / file).string();
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  json value = parse_shallow_json(*bytes);
  const auto elements = value.is_object() ? value.find(list) : value.end();
  if (!value.is_object() || elements == value.end() || !elements->is_array())
    return fail(ExitCode::kUsage, fmt::format("{} holds no results: it has no list '{}'", path, list));
  for (json& element : *elements) {
    if (!element.is_object()) return fail(ExitCode::kUsage, fmt::format("{} holds what is no result", path));
    element.erase("link");  // what a file says there is nobody's place to go to
    const fs::path page = page_of(absolute, text_of(element, "run"));
    if (!page.empty()) element["link"] = url_path(page.lexically_relative(from).generic_string());
  }
  return value;
}

}  // namespace otasim::report::html
