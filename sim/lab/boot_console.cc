#include "sim/lab/boot_console.h"

namespace otasim::lab {
namespace {

constexpr std::string_view kStart = "boot: start ";

/// The value of ` key=value ` in the line about the image that starts; more must follow it.
std::string started(std::string_view line, std::string_view key) {
  if (!line.starts_with(kStart)) return {};
  const std::size_t found = line.find(key, kStart.size() - 1);
  if (found == std::string_view::npos) return {};
  line.remove_prefix(found + key.size());
  const std::size_t end = line.find(' ');
  return end == std::string_view::npos ? std::string() : std::string(line.substr(0, end));
}

}  // namespace

std::string started_version(std::string_view line) {
  return started(line, " version=");
}

std::string started_slot(std::string_view line) {
  return started_version(line).empty() ? std::string() : started(line, " slot=");
}

}  // namespace otasim::lab
