#include "sim/lab/boot_console.h"

#include <charconv>

namespace otasim::lab {
namespace {

constexpr std::string_view kBoot = "boot: ";
constexpr std::string_view kStart = "boot: start ";

/// Up to the next space, which is taken, too.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

nlohmann::json value_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  return std::string(text);
}

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

std::optional<BootLine> parse_boot_line(std::string_view line) {
  if (!line.starts_with(kBoot)) return std::nullopt;
  line.remove_prefix(kBoot.size());
  BootLine boot{.stage = std::string(take_word(line)), .fields = nlohmann::json::object()};
  if (boot.stage.empty()) return std::nullopt;
  while (!line.empty()) {
    const std::string_view word = take_word(line);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    boot.fields[std::string(word.substr(0, equals))] = value_of(word.substr(equals + 1));
  }
  return boot;
}

}  // namespace otasim::lab
