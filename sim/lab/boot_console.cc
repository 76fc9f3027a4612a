#include "sim/lab/boot_console.h"

namespace otasim::lab {

std::string started_version(std::string_view line) {
  if (!line.starts_with("boot: slot A ") && !line.starts_with("boot: slot B ")) return {};
  line.remove_prefix(std::string_view("boot: slot A ").size());
  const std::size_t end = line.find(' ');
  if (end == std::string_view::npos) return {};
  const std::string_view rest = line.substr(end + 1);
  if (!rest.starts_with("verified, starting") && !rest.starts_with("on trial")) return {};
  return std::string(line.substr(0, end));
}

}  // namespace otasim::lab
