#include "sim/lab/boot_console.h"

namespace otasim::lab {

std::string started_version(std::string_view line) {
  constexpr std::string_view kStart = "boot: start slot=";
  constexpr std::string_view kVersion = " version=";
  if (!line.starts_with(kStart)) return {};
  const std::size_t found = line.find(kVersion, kStart.size());
  if (found == std::string_view::npos) return {};
  line.remove_prefix(found + kVersion.size());
  const std::size_t end = line.find(' ');
  return end == std::string_view::npos ? std::string() : std::string(line.substr(0, end));
}

}  // namespace otasim::lab
