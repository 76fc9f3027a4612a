#include "sim/cloud/object_headers.h"

#include <algorithm>
#include <array>

namespace otasim::cloud {

namespace {

constexpr std::string_view kUserPrefix = "x-amz-meta-";
constexpr std::string_view kSeparator = ": ";

}  // namespace

bool is_object_header(std::string_view name) {
  constexpr std::array<std::string_view, 7> kKept{"cache-control",
                                                  "content-disposition",
                                                  "content-encoding",
                                                  "content-language",
                                                  "content-type",
                                                  "expires",
                                                  "x-amz-website-redirect-location"};
  return name.starts_with(kUserPrefix) || std::ranges::find(kKept, name) != kKept.end();
}

std::size_t user_metadata_bytes(const ObjectHeaders& headers) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    if (name.starts_with(kUserPrefix)) bytes += name.size() - kUserPrefix.size() + value.size();
  }
  return bytes;
}

std::string to_lines(const ObjectHeaders& headers) {
  std::string lines;
  for (const auto& [name, value] : headers) {
    lines += name;
    lines += kSeparator;
    lines += value;
    lines += '\n';
  }
  return lines;
}

ObjectHeaders headers_from_lines(std::string_view lines) {
  ObjectHeaders headers;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    const std::size_t separator = line.find(kSeparator);
    if (separator != std::string_view::npos) {
      headers.emplace_back(line.substr(0, separator), line.substr(separator + kSeparator.size()));
    }
    lines = end == std::string_view::npos ? std::string_view{} : lines.substr(end + 1);
  }
  return headers;
}

}  // namespace otasim::cloud
